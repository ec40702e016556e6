// Compiles CheckpointPins.sol into the artifact that the library reads.
//
//   node build.mjs          writes the artifact
//   node build.mjs --check  fails unless the artifact is what the source gives
//
// The settings leave the metadata out of the bytecode, so that it depends on the code and on nothing else.

import { readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import solc from "solc";

const NAME = "CheckpointPins";
const COMPILER = "0.8.37+commit.f401782d";
const artifactUrl = new URL(`../src/vcid/ledger/${NAME}.json`, import.meta.url);

const settings = {
  evmVersion: "london",
  optimizer: { enabled: true, runs: 200 },
  metadata: { appendCBOR: false, bytecodeHash: "none" },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "evm.methodIdentifiers"] } },
};

function compile() {
  if (!solc.version().startsWith(COMPILER)) throw new Error(`solc ${COMPILER.split("+")[0]} is needed, not ${solc.version()}`);
  const content = readFileSync(new URL(`${NAME}.sol`, import.meta.url), "utf8");
  const input = { language: "Solidity", sources: { [`${NAME}.sol`]: { content } }, settings };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  if (output.errors?.length) throw new Error(output.errors.map((error) => error.formattedMessage).join("\n"));
  return output.contracts[`${NAME}.sol`][NAME];
}

function artifact(contract) {
  const { outputSelection: _, ...kept } = settings;
  const runtime = contract.evm.deployedBytecode.object;
  return {
    contract: NAME,
    compiler: `solc ${solc.version()}`,
    settings: kept,
    abi: contract.abi,
    selectors: contract.evm.methodIdentifiers,
    creationCode: `0x${contract.evm.bytecode.object}`,
    runtimeCode: `0x${runtime}`,
    runtimeSha256: createHash("sha256").update(Buffer.from(runtime, "hex")).digest("hex"),
  };
}

const text = `${JSON.stringify(artifact(compile()), null, 2)}\n`;
if (!process.argv.includes("--check")) {
  writeFileSync(artifactUrl, text);
} else if (readFileSync(artifactUrl, "utf8") !== text) {
  console.error("the artifact is not what the source gives: run node build.mjs");
  process.exit(1);
}
