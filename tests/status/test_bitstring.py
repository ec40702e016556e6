"""Status entries and list credentials, read as Bitstring Status List v1.0 says and in no other way."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.credentials.model import check_model
from vcid.errors import LimitExceeded, Malformed, VcidError
from vcid.status.bitstring import (
    LIST_LENGTH_ERROR,
    MALFORMED_VALUE_ERROR,
    MIN_ENTRIES,
    RANGE_ERROR,
    VERIFICATION_ERROR,
    ListPeriod,
    StatusEntry,
    StatusList,
    StatusListCredential,
    UnknownStatus,
    build_status_list,
    read_status,
)

LIST = "https://civil.example/status/abcd2345"
AT = datetime(2026, 3, 1, tzinfo=UTC)
ENTRY = {
    "type": "BitstringStatusListEntry",
    "statusPurpose": "revocation",
    "statusListIndex": "94567",
    "statusListCredential": LIST,
}
TWO_BITS = [{"status": f"0x{value:X}", "message": f"message {value}"} for value in range(4)]


def entry(**changes):
    """A status entry as it stands in a credential; a change to None takes the property away."""
    return {name: value for name, value in {**ENTRY, **changes}.items() if value is not None}


def parse(**changes):
    (parsed,) = StatusEntry.parse_all({"credentialStatus": entry(**changes)})
    return parsed


def list_document(indices=(), *, subject=(), **changes):
    """A list credential in which the bits at some indices are set, with changes to it and to its subject."""
    document = build_status_list(
        StatusList.from_indices(indices),
        list_id=LIST,
        issuer="did:web:civil.example",
        purposes=["revocation"],
        period=ListPeriod(valid_from=AT - timedelta(days=1), valid_until=AT + timedelta(days=89)),
    )
    changed = {**document, "credentialSubject": {**document["credentialSubject"], **dict(subject)}, **changes}
    return {name: value for name, value in changed.items() if value is not None}


class TestEntries:
    """What a credential may say in credentialStatus."""

    def test_one_entry_and_several_are_read(self):
        """An object is one entry; an array is one for each item, in order."""
        assert parse() == StatusEntry(purpose="revocation", list_id=LIST, index=94567)
        both = StatusEntry.parse_all({"credentialStatus": [entry(), entry(statusPurpose="suspension")]})
        assert [e.purpose for e in both] == ["revocation", "suspension"]
        assert StatusEntry.parse_all({}) == ()
        assert StatusEntry.parse_all({"credentialStatus": []}) == ()

    def test_an_unknown_type_is_kept_as_unknown(self):
        """A status that can't be read is there to be decided about; it is never skipped."""
        other = {"id": "https://civil.example/s/1", "type": ["StatusList2021Entry", "Other"]}
        first, second = StatusEntry.parse_all({"credentialStatus": [other, entry()]})
        assert first == UnknownStatus(("StatusList2021Entry", "Other"))
        assert second.index == 94567

    def test_what_is_written_is_read(self):
        """to_json and parse_all are inverse for the entries that the registry gives out."""
        written = StatusEntry(purpose="revocation", list_id=LIST, index=0)
        assert StatusEntry.parse_all({"credentialStatus": written.to_json()}) == (written,)

    @pytest.mark.parametrize("wide", [{"size": 2}, {"messages": ("a", "b")}])
    def test_entries_that_to_json_would_shorten_are_not_written(self, wide):
        """An entry with more than one bit, or with messages, loses nothing in silence."""
        with pytest.raises(ValueError, match="one bit"):
            StatusEntry(purpose="message", list_id=LIST, index=0, **wide).to_json()

    def test_messages_come_in_the_order_of_their_values(self):
        """The status of each message is hexadecimal and decides its place, not the order of the array."""
        parsed = parse(statusPurpose="message", statusSize=2, statusMessage=TWO_BITS[::-1])
        assert parsed.messages == ("message 0", "message 1", "message 2", "message 3")
        assert parsed.size == 2

    def test_additional_properties_are_let_be(self):
        """Further members of a message or an entry, and references, are legal."""
        messages = [{**message, "severity": 3} for message in TWO_BITS]
        reference = ["https://civil.example/codes", "urn:x:y"]
        assert parse(statusSize=2, statusMessage=messages, statusReference=reference, extra=1).size == 2

    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"statusPurpose": None}, "statusPurpose"),
            ({"statusPurpose": ""}, "statusPurpose"),
            ({"statusPurpose": ["revocation"]}, "statusPurpose"),
            ({"statusListIndex": None}, "statusListIndex"),
            ({"statusListIndex": 94567}, "statusListIndex"),
            ({"statusListIndex": "-1"}, "statusListIndex"),
            ({"statusListIndex": "+1"}, "statusListIndex"),
            ({"statusListIndex": "0x10"}, "statusListIndex"),
            ({"statusListIndex": "1.0"}, "statusListIndex"),
            ({"statusListIndex": " 1"}, "statusListIndex"),
            ({"statusListIndex": "1\n"}, "statusListIndex"),
            ({"statusListIndex": "1_0"}, "statusListIndex"),
            ({"statusListIndex": "٣"}, "statusListIndex"),
            ({"statusListIndex": ""}, "statusListIndex"),
            ({"statusListCredential": None}, "statusListCredential"),
            ({"statusListCredential": "status/3"}, "statusListCredential"),
            ({"statusListCredential": {"id": LIST}}, "statusListCredential"),
            ({"id": LIST}, "id"),
            ({"id": 3}, "id"),
            ({"statusSize": 0}, "statusSize"),
            ({"statusSize": -1}, "statusSize"),
            ({"statusSize": "2"}, "statusSize"),
            ({"statusSize": True}, "statusSize"),
            ({"statusSize": 1.5}, "statusSize"),
            ({"statusSize": 2}, "statusMessage"),
            ({"statusSize": 2, "statusMessage": TWO_BITS[:3]}, "statusMessage"),
            ({"statusSize": 2, "statusMessage": [*TWO_BITS[:3], TWO_BITS[0]]}, "statusMessage"),
            ({"statusSize": 1, "statusMessage": TWO_BITS}, "statusMessage"),
            ({"statusMessage": {"status": "0x0"}}, "statusMessage"),
            ({"statusMessage": [{"status": "0", "message": "a"}] * 2}, "statusMessage/0/status"),
            ({"statusMessage": [{"status": 0, "message": "a"}] * 2}, "statusMessage/0/status"),
            ({"statusMessage": [{"status": "0x0"}] * 2}, "statusMessage/0/message"),
            ({"statusMessage": ["0x0", "0x1"]}, "statusMessage/0"),
            ({"statusReference": "no url"}, "statusReference"),
            ({"statusReference": [LIST, 7]}, "statusReference"),
        ],
    )
    def test_a_broken_must_is_a_malformed_value(self, changes, where):
        """Each MUST of section 2.1, broken alone, is found at its place."""
        with pytest.raises(Malformed) as caught:
            parse(**changes)
        assert caught.value.code == MALFORMED_VALUE_ERROR
        assert caught.value.where == f"/credentialStatus/{where}"

    @pytest.mark.parametrize(
        "status", [None, "x", [[]], [None], {}, {"type": []}, {"type": [1]}, {"type": None}]
    )
    def test_a_status_without_form_or_type_is_malformed(self, status):
        """What is no object, or says no type, is not taken for a credential without a status."""
        with pytest.raises(Malformed) as caught:
            StatusEntry.parse_all({"credentialStatus": status})
        assert caught.value.code == MALFORMED_VALUE_ERROR

    @pytest.mark.parametrize("index", ["9" * 19, "1" * 100_000])
    def test_an_index_that_no_list_has_is_a_range_error(self, index):
        """An integer of arbitrary size is legal; it is out of range, and costs nothing to say so."""
        with pytest.raises(Malformed) as caught:
            parse(statusListIndex=index)
        assert caught.value.code == RANGE_ERROR

    def test_leading_zeros_do_not_change_an_index(self):
        """The index is a number in base 10, not a name."""
        assert parse(statusListIndex="0" * 30 + "7").index == 7

    def test_a_huge_size_is_refused_before_its_messages_are_counted(self):
        """A size of a million bits asks for more messages than there are atoms."""
        with pytest.raises(LimitExceeded):
            parse(statusSize=1_000_000, statusMessage=TWO_BITS)


class TestReading:
    """The Validate Algorithm, step by step."""

    def test_a_set_and_an_unset_bit_are_told_apart(self):
        """The bit at the entry's index, and no neighbour, is the status."""
        for indices, expected in (([94567], 1), ([], 0), ([94566, 94568], 0)):
            value = read_status(parse(), list_document(indices), AT)
            assert value.value == expected
            assert value.is_set is bool(expected)
            assert (value.purpose, value.list_id, value.message) == ("revocation", LIST, None)

    def test_what_the_list_says_of_its_time_is_passed_on(self):
        """Validity and ttl reach the caller, who judges staleness."""
        value = read_status(parse(), list_document(subject={"ttl": 300_000}), AT)
        assert value.period == ListPeriod(
            valid_from=AT - timedelta(days=1),
            valid_until=AT + timedelta(days=89),
            ttl=timedelta(minutes=5),
        )

    def test_a_list_of_several_purposes_serves_each(self):
        """A list's statusPurpose may be an array; the entry's purpose must be in it."""
        document = list_document([7], subject={"statusPurpose": ["suspension", "revocation"]})
        assert read_status(parse(statusListIndex="7"), document, AT).is_set

    def test_a_message_is_read_by_its_value(self):
        """Index 3 of two bits is the bits 6 and 7."""
        message = parse(statusPurpose="message", statusListIndex="3", statusSize=2, statusMessage=TWO_BITS)
        bits = StatusList.from_indices([6], length=2 * MIN_ENTRIES).encode()
        subject = {"statusPurpose": "message", "encodedList": bits, "statusSize": 2}
        value = read_status(message, list_document(subject=subject), AT)
        assert (value.value, value.message) == (2, "message 2")

    @pytest.mark.parametrize(("indices", "message"), [([94567], "set"), ([], "unset")])
    def test_one_bit_of_message_without_words_is_set_or_unset(self, indices, message):
        """The specification names the two messages of an entry that brings none."""
        document = list_document(indices, subject={"statusPurpose": "message"})
        assert read_status(parse(statusPurpose="message"), document, AT).message == message

    def test_a_list_may_state_no_id_and_no_period(self):
        """Both are optional."""
        document = list_document([94567], id=None, validFrom=None, validUntil=None)
        assert read_status(parse(), document, AT).period == ListPeriod()

    @pytest.mark.parametrize("at", [AT - timedelta(days=1), AT + timedelta(days=89)])
    def test_the_first_and_the_last_moment_are_in_the_period(self, at):
        """Both validFrom and validUntil are themselves moments at which the list holds."""
        assert not read_status(parse(), list_document(), at).is_set

    @pytest.mark.parametrize(
        ("changes", "subject", "where"),
        [
            ({"type": ["VerifiableCredential"]}, {}, "/type"),
            ({"type": "BitstringStatusList"}, {}, "/type"),
            ({"id": LIST + "x"}, {}, "/id"),
            ({}, {"statusPurpose": "suspension"}, "/credentialSubject/statusPurpose"),
            ({}, {"statusPurpose": ["suspension", "message"]}, "/credentialSubject/statusPurpose"),
            ({}, {"statusSize": 2}, "/credentialSubject/statusSize"),
            ({"validFrom": "2026-03-01T00:00:01Z"}, {}, "/validFrom"),
            ({"validUntil": "2026-02-28T23:59:59Z"}, {}, "/validUntil"),
        ],
    )
    def test_a_list_that_does_not_answer_the_question_fails_verification(self, changes, subject, where):
        """Another type, list, purpose, size or time: STATUS_VERIFICATION_ERROR at its place."""
        with pytest.raises(Malformed) as caught:
            read_status(parse(), list_document([94567], subject=subject, **changes), AT)
        assert (caught.value.code, caught.value.where) == (VERIFICATION_ERROR, where)

    @pytest.mark.parametrize(
        ("changes", "subject"),
        [
            ({"credentialSubject": []}, {}),
            ({"credentialSubject": None}, {}),
            ({"type": None}, {}),
            ({"id": 3}, {}),
            ({"validFrom": "2026-03-01"}, {}),
            ({"validUntil": 7}, {}),
            ({}, {"type": "Other"}),
            ({}, {"type": []}),
            ({}, {"statusPurpose": []}),
            ({}, {"statusPurpose": ["revocation", 3]}),
            ({}, {"encodedList": None}),
            ({}, {"encodedList": "u"}),
            ({}, {"statusSize": "1"}),
            ({}, {"ttl": "300000"}),
            ({}, {"ttl": -1}),
            ({}, {"ttl": True}),
            ({}, {"ttl": 1 << 60}),
        ],
    )
    def test_a_malformed_list_is_a_malformed_value(self, changes, subject):
        """Each MUST of section 2.2, broken alone, is refused even where the bit would be unset."""
        with pytest.raises(Malformed) as caught:
            read_status(parse(), list_document(subject=subject, **changes), AT)
        assert caught.value.code == MALFORMED_VALUE_ERROR

    @pytest.mark.parametrize(("length", "size"), [(MIN_ENTRIES - 8, 1), (2 * MIN_ENTRIES - 8, 2), (8, 1)])
    def test_a_short_list_is_a_length_error(self, length, size):
        """Fewer than 131,072 entries hide nobody, counted in entries and not in bits."""
        short = parse(statusListIndex="1", statusSize=size, statusMessage=TWO_BITS if size == 2 else None)
        encoded = StatusList.from_indices([], length=length).encode()
        with pytest.raises(Malformed) as caught:
            read_status(short, list_document(subject={"encodedList": encoded}), AT)
        assert caught.value.code == LIST_LENGTH_ERROR

    @pytest.mark.parametrize("index", [MIN_ENTRIES, 10**17])
    def test_an_index_past_the_list_is_a_range_error(self, index):
        """There is no status past the end, and so none that is unset."""
        with pytest.raises(Malformed) as caught:
            read_status(parse(statusListIndex=str(index)), list_document(), AT)
        assert caught.value.code == RANGE_ERROR

    def test_a_moment_without_a_time_zone_is_misuse(self):
        """Periods can't be judged at a local time of nowhere."""
        with pytest.raises(ValueError, match="time zone"):
            read_status(parse(), list_document(), datetime(2026, 3, 1))

    def test_the_document_is_left_as_it_was(self):
        """Reading changes nothing in what was verified."""
        document = list_document([94567])
        before = json.dumps(document)
        read_status(parse(), document, AT)
        assert json.dumps(document) == before


class TestBuilding:
    """The Generate Algorithm."""

    def test_what_is_built_is_read_back(self):
        """A built list conforms to the data model, and says what went in."""
        period = ListPeriod(valid_from=AT, valid_until=AT + timedelta(days=90), ttl=timedelta(days=1))
        bits = StatusList.from_indices([3, 70_000])
        document = build_status_list(
            bits, list_id=LIST, issuer="did:web:civil.example", purposes=["revocation"], period=period
        )
        assert check_model(document) == ()
        assert document["credentialSubject"]["statusPurpose"] == "revocation"
        read = StatusListCredential.parse(document)
        assert (read.list_id, read.purposes, read.period, read.bits) == (LIST, ("revocation",), period, bits)

    @pytest.mark.parametrize(
        ("length", "purposes"),
        [(MIN_ENTRIES - 8, ["revocation"]), (MIN_ENTRIES, []), (MIN_ENTRIES, "revocation")],
    )
    def test_a_list_that_nobody_may_publish_is_not_built(self, length, purposes):
        """Too short, without a purpose, or with a string that would be read letter by letter."""
        with pytest.raises(ValueError):
            build_status_list(
                StatusList.from_indices([], length=length),
                list_id=LIST,
                issuer="did:web:civil.example",
                purposes=purposes,
                period=ListPeriod(),
            )

    def test_a_naive_date_is_misuse(self):
        """A list's period needs a time zone."""
        with pytest.raises(ValueError):
            build_status_list(
                StatusList.from_indices([]),
                list_id=LIST,
                issuer="did:web:civil.example",
                purposes=["revocation"],
                period=ListPeriod(valid_from=datetime(2026, 1, 1)),
            )


def test_the_specifications_examples_are_read(vectors, tally):
    """Every complete example of the Recommendation is read: entries of credentials, and lists."""
    entries, lists = [], []
    for path in sorted((vectors / "vc-bitstring-status-list" / "examples").glob("*.json")):
        text = path.read_text()
        if not text.lstrip().startswith("{"):
            continue
        document = json.loads(text)
        if "credentialStatus" in document:
            entries += StatusEntry.parse_all(document)
        elif "BitstringStatusListCredential" in document.get("type", ()):
            lists.append(document)
    assert {e.index for e in entries} == {94567, 23452}
    ids = {document["id"] for document in lists}
    read = [
        read_status(e, document, AT) for e in entries for document in lists if e.list_id == document["id"]
    ]
    tally(f"Bitstring Status List: {len(entries)} entries, {len(lists)} lists, {len(read)} statuses")
    assert ids == {"https://example.com/credentials/status/3"}
    assert len(read) >= 20
    assert not any(value.is_set for value in read)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from([*ENTRY, "id", "statusSize", "statusMessage", "statusReference"]), JSON)
)
def test_arbitrary_entries_raise_only_our_errors(changes):
    """Whatever JSON stands in an entry, parse_all gives entries or raises VcidError."""
    with suppress(VcidError):
        StatusEntry.parse_all({"credentialStatus": {**ENTRY, **changes}})


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["id", "type", "validFrom", "validUntil", "credentialSubject"]), JSON),
    st.dictionaries(st.sampled_from(["type", "statusPurpose", "encodedList", "ttl", "statusSize"]), JSON),
)
def test_arbitrary_lists_raise_only_our_errors(changes, subject):
    """Whatever JSON stands in a list credential, read_status gives a value or raises VcidError."""
    with suppress(VcidError):
        read_status(parse(), {**list_document(subject=subject), **changes}, AT)
