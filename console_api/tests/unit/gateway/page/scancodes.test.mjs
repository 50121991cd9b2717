// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";

const { LAYOUT_NAMES, keysOf } = await import(
  `${process.env.PAGE}/layouts.js`
);
const { scancodeOf } = await import(`${process.env.PAGE}/scancodes.js`);

test("codes are what a PC keyboard sends, the first byte lowest", () => {
  for (const [code, pressed, released] of [
    ["KeyA", 0x1e, 0x9e],
    ["Delete", 0x53e0, 0xd3e0],
    ["AltRight", 0x38e0, 0xb8e0],
    ["Unidentified", 0, 0],
  ]) {
    assert.equal(scancodeOf(code, true), pressed, code);
    assert.equal(scancodeOf(code, false), released, code);
  }
});

test("every key that types text has a code", () => {
  for (const id of Object.keys(LAYOUT_NAMES)) {
    for (const { code, modifiers } of keysOf(id).values()) {
      for (const name of [code, ...modifiers]) {
        assert.notEqual(scancodeOf(name, true), 0, name);
      }
    }
  }
});
