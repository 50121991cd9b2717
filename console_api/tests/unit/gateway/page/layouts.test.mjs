// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";

const { LAYOUT_NAMES, keysOf, untypable } = await import(
  `${process.env.PAGE}/layouts.js`
);
const { strokesOf, type } = await import(`${process.env.PAGE}/typing.js`);

test("every layout types letters, digits and a shell's characters", () => {
  const common = "abcxyzABCXYZ0123456789 \t\n.,;:-_/*+=?!\"'$%&()<>\\|@#{}[]";
  for (const id of Object.keys(LAYOUT_NAMES)) {
    assert.deepEqual(untypable(common, id), [], id);
  }
});

test("keys are those of the layout", () => {
  for (const [id, character, code, modifiers] of [
    ["us", "@", "Digit2", ["ShiftLeft"]],
    ["gb", "@", "Quote", ["ShiftLeft"]],
    ["de", "@", "KeyQ", ["AltRight"]],
    ["de", "z", "KeyY", []],
    ["de", "|", "IntlBackslash", ["AltRight"]],
    ["fr", "1", "Digit1", ["ShiftLeft"]],
    ["fr", "a", "KeyQ", []],
    ["es", "[", "BracketLeft", ["AltRight"]],
  ]) {
    assert.deepEqual(keysOf(id).get(character), { code, modifiers });
  }
});

test("what a layout cannot type is named once", () => {
  assert.deepEqual(untypable("caf\u00e9 \u00df\u00df \u65e5", "us"), [
    "\u00e9",
    "\u00df",
    "\u65e5",
  ]);
  assert.deepEqual(untypable("cafe\u0301", "fr"), []);
});

test("modifiers are held around their key", () => {
  assert.deepEqual(strokesOf("A\r\n", "us"), [
    [
      [0xffe1, "ShiftLeft", true],
      [0x41, "KeyA", true],
      [0x41, "KeyA", false],
      [0xffe1, "ShiftLeft", false],
    ],
    [
      [0xff0d, "Enter", true],
      [0xff0d, "Enter", false],
    ],
  ]);
});

test("typing stops when it is aborted", async () => {
  const controller = new AbortController();
  const sent = [];
  await type(
    "abcdef",
    "us",
    (...key) => sent.push(key),
    (done) => done === 2 && controller.abort(),
    controller.signal,
  );
  assert.equal(sent.length, 4);
});
