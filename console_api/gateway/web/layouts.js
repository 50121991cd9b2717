// SPDX-License-Identifier: Apache-2.0
/**
 * Keyboard layouts of guests, for typing text as keys.
 *
 * A display with QEMU's extension takes the position of a key and ignores its
 * symbol: the layout of the guest decides what arrives.
 */

const POSITIONS = [
  ["Backquote", "Digit1", "Digit2", "Digit3", "Digit4", "Digit5", "Digit6"],
  ["Digit7", "Digit8", "Digit9", "Digit0", "Minus", "Equal"],
  ["KeyQ", "KeyW", "KeyE", "KeyR", "KeyT", "KeyY", "KeyU", "KeyI", "KeyO"],
  ["KeyP", "BracketLeft", "BracketRight"],
  ["KeyA", "KeyS", "KeyD", "KeyF", "KeyG", "KeyH", "KeyJ", "KeyK", "KeyL"],
  ["Semicolon", "Quote", "Backslash"],
  ["IntlBackslash", "KeyZ", "KeyX", "KeyC", "KeyV", "KeyB", "KeyN", "KeyM"],
  ["Comma", "Period", "Slash"],
].flat();

// The characters of all positions in order: plain, with Shift, with AltGr.  A
// space stands for no character, or a dead key.
const LAYOUTS = {
  us: {
    name: "English (US)",
    levels: [
      "`1234567890-=qwertyuiop[]asdfghjkl;'\\ zxcvbnm,./",
      '~!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:"| ZXCVBNM<>?',
    ],
  },
  gb: {
    name: "English (UK)",
    levels: [
      "`1234567890-=qwertyuiop[]asdfghjkl;'#\\zxcvbnm,./",
      '¬!"£$%^&*()_+QWERTYUIOP{}ASDFGHJKL:@~|ZXCVBNM<>?',
      "    €                                           ",
    ],
  },
  de: {
    name: "Deutsch",
    levels: [
      " 1234567890ß qwertzuiopü+asdfghjklöä#<yxcvbnm,.-",
      "°!\"§$%&/()=? QWERTZUIOPÜ*ASDFGHJKLÖÄ'>YXCVBNM;:_",
      "  ²³   {[]}\\ @ €        ~            |      µ   ",
    ],
  },
  fr: {
    name: "Français",
    levels: [
      "²&é\"'(-è_çà)=azertyuiop $qsdfghjklmù*<wxcvbn,;:!",
      " 1234567890°+AZERTYUIOP £QSDFGHJKLM%µ>WXCVBN?./§",
      "   #{[| \\^@]}  €                                ",
    ],
  },
  es: {
    name: "Español",
    levels: [
      "º1234567890'¡qwertyuiop +asdfghjklñ ç<zxcvbnm,.-",
      'ª!"·$%&/()=?¿QWERTYUIOP *ASDFGHJKLÑ Ç>ZXCVBNM;:_',
      "\\|@#  ¬        €       []          {}           ",
    ],
  },
};

const MODIFIERS = [[], ["ShiftLeft"], ["AltRight"]];

const CONTROL_KEYS = {
  "\b": "Backspace",
  "\n": "Enter",
  "\t": "Tab",
  " ": "Space",
};

/** Names of the layouts by their identifiers, for a menu. */
export const LAYOUT_NAMES = Object.fromEntries(
  Object.entries(LAYOUTS).map(([id, layout]) => [id, layout.name]),
);

/**
 * Return how to type each character of a layout.
 *
 * @param {string} id - one of `LAYOUT_NAMES`
 * @returns {Map<string, {code: string, modifiers: string[]}>} keys are named
 *   as `KeyboardEvent.code` does
 */
export function keysOf(id) {
  const keys = new Map(
    Object.entries(CONTROL_KEYS).map(([character, code]) => [
      character,
      { code, modifiers: [] },
    ]),
  );
  LAYOUTS[id].levels.forEach((level, index) => {
    [...level].forEach((character, at) => {
      // The simplest way to type a character comes first.
      if (!keys.has(character)) {
        keys.set(character, {
          code: POSITIONS[at],
          modifiers: MODIFIERS[index],
        });
      }
    });
  });
  return keys;
}

/**
 * Return the characters that a layout cannot type, each once.
 *
 * @param {string} text
 * @param {string} id - one of `LAYOUT_NAMES`
 */
export function untypable(text, id) {
  const keys = keysOf(id);
  const missing = [...normalize(text)].filter((one) => !keys.has(one));
  return [...new Set(missing)];
}

/**
 * Return text with one kind of line ending and composed characters.
 *
 * @param {string} text
 */
export function normalize(text) {
  return text.replace(/\r\n?/g, "\n").normalize("NFC");
}
