"""How contexts give terms their meaning: active contexts, derived one from another.

Follows JSON-LD 1.1 Processing Algorithms and API, section 4.1 (Context Processing). Context documents come
from the caller's `Contexts` alone, and what is derived from those is kept in a bounded cache. A context that
stands in a document is hostile input: the number of definitions that one document may cause is limited, the
same whether the cache is warm or cold.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING, Final, TypeAlias

from vcid.encoding.json import pointer
from vcid.encoding.jsonld.definitions import ContextDefinition, Mode
from vcid.encoding.jsonld.terms import INITIAL, ActiveContext
from vcid.errors import LimitExceeded, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vcid.encoding.contexts import Contexts
    from vcid.encoding.json import JSON, JsonObject

# The published contexts that one credential names take some hundreds, those scoped to terms included.
MAX_DEFINITIONS: Final = 5_000
_MAX_REMOTE: Final = 10
_CACHED: Final = 512


class Scopes:
    """Derives the active contexts of one document, each once, and counts what that costs."""

    def __init__(self, contexts: Contexts) -> None:
        """Know a caller's contexts and no others."""
        self._contexts = contexts
        self._left = MAX_DEFINITIONS
        self._derived: dict[_Step, ActiveContext] = {}

    def enter_local(self, active: ActiveContext, local: JSON, where: str) -> ActiveContext:
        """Apply the ``@context`` of a node object; ``where`` is its place."""
        if isinstance(local, str):
            return self._enter_urls(active, (local,), where)
        if isinstance(local, list):
            # The usual document begins with published contexts, which the cache holds.
            urls = tuple(map(str, takewhile(lambda context: isinstance(context, str), local)))
            active = self._enter_urls(active, urls, where) if urls else active
            local = local[len(urls) :]
            if not local:
                return active
        derivation = _Derivation(self._contexts, where, self._left)
        return self._spend(derivation.apply(active, local, is_known=False))

    def _enter_urls(self, active: ActiveContext, urls: tuple[str, ...], where: str) -> ActiveContext:
        try:
            return self._enter((active, "urls", urls, active))
        except Malformed as error:
            raise type(error)(error.code, error.expected, where=where + error.where) from None

    def enter_property(self, active: ActiveContext, term: str, origin: ActiveContext) -> ActiveContext:
        """Apply the context that a property is scoped to by its definition in ``origin``."""
        return self._enter((active, "property", (term,), origin))

    def enter_types(
        self, active: ActiveContext, types: Sequence[str], origin: ActiveContext
    ) -> ActiveContext:
        """Apply the contexts that types are scoped to by their definitions in ``origin``, in order."""
        return self._enter((active, "types", tuple(types), origin))

    def _enter(self, step: _Step) -> ActiveContext:
        derived = self._derived.get(step)
        if derived is None:
            active, _, _, origin = step
            derive = _derive_known if active.is_known and origin.is_known else _derive
            derived = self._derived[step] = self._spend(derive(self._contexts, step))
        return derived

    def _spend(self, derived: ActiveContext) -> ActiveContext:
        self._left -= derived.cost
        if self._left < 0:
            raise _too_many()
        return derived


# From which active context, by what (urls, property, types), of which names, defined in which active context.
_Step: TypeAlias = tuple[ActiveContext, str, tuple[str, ...], ActiveContext]


def _derive(contexts: Contexts, step: _Step) -> ActiveContext:
    active, kind, names, origin = step
    derivation = _Derivation(contexts, "", MAX_DEFINITIONS)
    is_known = active.is_known and origin.is_known
    if kind == "urls":
        return derivation.apply(active, list(names), is_known=is_known)
    local = [origin.terms[name].context for name in names]
    if kind == "property":
        return derivation.apply(active, local[0], is_known=is_known, override_protected=True)
    return derivation.apply_types(active, local, is_known=is_known)


_derive_known = lru_cache(maxsize=_CACHED)(_derive)


class _Derivation:
    """One run of the Context Processing algorithm: where its input stands, and the definitions left to it."""

    def __init__(self, contexts: Contexts, where: str, limit: int) -> None:
        self._contexts = contexts
        self._where = where
        self._limit = self._left = limit

    def apply(
        self, active: ActiveContext, local: JSON, *, is_known: bool, override_protected: bool = False
    ) -> ActiveContext:
        """Apply a local context."""
        return self._finish(lambda: self.process(active, local, Mode(override_protected)), is_known=is_known)

    def apply_types(self, active: ActiveContext, scoped: Sequence[JSON], *, is_known: bool) -> ActiveContext:
        """Apply the contexts scoped to the types of one node object, which hold for that object alone."""

        def process() -> ActiveContext:
            result = active
            for local in scoped:
                result = self.process(result, local, Mode(propagate=False))
            return result

        return self._finish(process, is_known=is_known)

    def _finish(self, process: Callable[[], ActiveContext], *, is_known: bool) -> ActiveContext:
        try:
            result = process()
        except RecursionError:
            expected = "contexts whose terms depend on fewer others"
            raise LimitExceeded("too-deep", expected, where=self._where) from None
        return replace(result, cost=self._limit - self._left, is_known=is_known)

    def spend(self, definitions: int) -> None:
        """Count definitions against the limit."""
        self._left -= definitions
        if self._left < 0:
            raise _too_many(self._where)

    def fault(self, code: str, expected: str, term: str = "") -> Malformed:
        """Make the error for what is wrong with the context, or with one of its terms."""
        return Malformed(code, expected, where=self._where + pointer([term]) if term else self._where)

    def process(self, active: ActiveContext, local: JSON, mode: Mode) -> ActiveContext:
        """Run the Context Processing algorithm (section 4.1.2); the comments give its steps."""
        # 2, 3: a context that is not propagated holds until the next node object.
        if isinstance(local, dict) and "@propagate" in local:
            mode = replace(mode, propagate=self.read_flag(local, "@propagate", default=True))
        result = active
        if not mode.propagate and result.previous is None:
            result = replace(result, previous=active)
        # 4, 5
        for context in local if isinstance(local, list) else [local]:
            if context is None:
                result = self._nullify(result, mode)
            elif isinstance(context, str):
                result = self._process_remote(result, context, mode)
            elif isinstance(context, dict):
                result = ContextDefinition(self, result, self._merge_import(context), mode).define_all()
            else:
                raise self.fault("invalid-local-context", "a URL, an object or null")
        return result

    def _nullify(self, active: ActiveContext, mode: Mode) -> ActiveContext:
        """Take step 5.1: null brings the initial context back."""
        if not mode.override_protected and any(term.is_protected for term in active.terms.values()):
            raise self.fault("invalid-context-nullification", "protected terms to be left as they are")
        return INITIAL if mode.propagate else replace(INITIAL, previous=active)

    def _process_remote(self, active: ActiveContext, url: str, mode: Mode) -> ActiveContext:
        """Take step 5.2: a URL names a context of the caller's."""
        if url in mode.remote:
            if mode.is_validation:
                return active
            raise self.fault("recursive-context-inclusion", "contexts that don't include themselves")
        if len(mode.remote) >= _MAX_REMOTE:
            raise self.fault("context-overflow", f"at most {_MAX_REMOTE} contexts inside one another")
        self.spend(1)
        mode = replace(mode, remote=(*mode.remote, url), propagate=True)
        return self.process(active, self._load(url), mode)

    def _load(self, url: str) -> JSON:
        try:
            return self._contexts[url]["@context"]
        except Malformed as error:
            raise self.fault(error.code, error.expected) from None

    def _merge_import(self, local: JsonObject) -> JsonObject:
        """Take step 5.6: what a context imports stands behind its own entries."""
        if "@import" not in local:
            return local
        url = local["@import"]
        if not isinstance(url, str):
            raise self.fault("invalid-import-value", "the URL of a context")
        imported = self._load(url)
        if not isinstance(imported, dict) or "@import" in imported:
            raise self.fault("invalid-remote-context", "an import of one context without imports")
        return {**imported, **{key: value for key, value in local.items() if key != "@import"}}

    def read_flag(self, entries: JsonObject, key: str, *, default: bool) -> bool:
        """Read an entry that is true or false."""
        value = entries.get(key, default)
        if not isinstance(value, bool):
            raise self.fault(f"invalid-{key[1:]}-value", "true or false")
        return value


def _too_many(where: str = "") -> LimitExceeded:
    return LimitExceeded("too-many-definitions", f"at most {MAX_DEFINITIONS} term definitions", where=where)
