// SPDX-License-Identifier: Apache-2.0
/** Typing of text as keys, at a pace that guests can follow. */

import { keysOf, normalize } from "./layouts.js";

/** Milliseconds between two keys: faster ones get lost. */
const PACE = 30;

// Keysyms of keys without a character (X11's keysymdef.h).
const KEYSYMS = {
  Backspace: 0xff08,
  Enter: 0xff0d,
  Tab: 0xff09,
  ShiftLeft: 0xffe1,
  AltRight: 0xfe03,
};

/**
 * Return the keysym of a character.
 *
 * @param {string} character
 */
function keysymOf(character) {
  const point = character.codePointAt(0);
  const isLatin1 =
    (point >= 0x20 && point <= 0x7e) || (point >= 0xa0 && point <= 0xff);
  return isLatin1 ? point : 0x1000000 | point;
}

/**
 * Return the keys that type a text, without what the layout cannot type.
 *
 * @param {string} text
 * @param {string} layout - see `layouts.js`
 * @returns {Array<Array<[number, string, boolean]>>} for each character the
 *   arguments of `RFB.sendKey`: keysym, code, whether it is pressed
 */
export function strokesOf(text, layout) {
  const keys = keysOf(layout);
  return [...normalize(text)]
    .filter((character) => keys.has(character))
    .map((character) => strokes(character, keys.get(character)));
}

function strokes(character, { code, modifiers }) {
  const held = modifiers.map((name) => [KEYSYMS[name], name]);
  const own = [KEYSYMS[code] ?? keysymOf(character), code];
  const all = [...held, own];
  return [
    ...all.map((key) => [...key, true]),
    ...all.reverse().map((key) => [...key, false]),
  ];
}

/**
 * Press keys together, and release them.
 *
 * @param {Array<[number, string]>} keys - pairs of keysym and code
 * @param {function(number, string, boolean): void} sendKey
 */
export function press(keys, sendKey) {
  keys.forEach((key) => sendKey(...key, true));
  [...keys].reverse().forEach((key) => sendKey(...key, false));
}

/**
 * Type a text.
 *
 * @param {string} text
 * @param {string} layout - see `layouts.js`
 * @param {function(number, string, boolean): void} sendKey
 * @param {function(number, number): void} [onProgress] - characters typed, all
 * @param {AbortSignal} [signal] - stops it
 */
export function type(text, layout, sendKey, onProgress, signal) {
  const send = (strokes) => strokes.forEach((key) => sendKey(...key));
  return sendPaced(strokesOf(text, layout), send, onProgress, signal);
}

/**
 * Send parts of a text at the pace of keys.
 *
 * @param {Array} parts
 * @param {function(object): void} send - sends one of them
 * @param {function(number, number): void} [onProgress] - parts sent, all
 * @param {AbortSignal} [signal] - stops it
 */
export async function sendPaced(parts, send, onProgress, signal) {
  for (const [index, part] of parts.entries()) {
    if (signal?.aborted) {
      return;
    }
    send(part);
    onProgress?.(index + 1, parts.length);
    await new Promise((resolve) => setTimeout(resolve, PACE));
  }
}
