// SPDX-License-Identifier: Apache-2.0
/** Scan codes of keys, which SPICE sends instead of symbols. */

import SCANCODES from "./modules/novnc-1.7.0/core/input/xtscancodes.js";

const RELEASED = 0x80;

/**
 * Return the code of a key in SPICE's inputs channel: what a PC keyboard sends
 * (set 1), with the prefix of extended keys in the lowest byte.
 *
 * @param {string} code - named as `KeyboardEvent.code` does
 * @param {boolean} isDown - pressed, or released
 * @returns {number} 0 for a key without a scan code
 */
export function scancodeOf(code, isDown) {
  const scancode = SCANCODES[code];
  if (scancode === undefined) {
    return 0;
  }
  const prefix = scancode >> 8;
  const last = (scancode & 0xff) | (isDown ? 0 : RELEASED);
  return prefix ? (last << 8) | prefix : last;
}
