// SPDX-License-Identifier: Apache-2.0
/** Keys that browsers and desktops keep for themselves. */

import { button, create } from "./dom.js";
import { translate } from "./i18n.js";

// Keysym (X11's keysymdef.h) and KeyboardEvent.code.
const KEY = {
  Ctrl: [0xffe3, "ControlLeft"],
  Alt: [0xffe9, "AltLeft"],
  Shift: [0xffe1, "ShiftLeft"],
  Super: [0xffeb, "MetaLeft"],
  Del: [0xffff, "Delete"],
  Esc: [0xff1b, "Escape"],
  Tab: [0xff09, "Tab"],
  Backspace: [0xff08, "Backspace"],
  PrintScreen: [0xff61, "PrintScreen"],
};
for (let number = 1; number <= 12; number++) {
  KEY[`F${number}`] = [0xffbd + number, `F${number}`];
}

const COMBINATIONS = [
  "Esc",
  "Tab",
  "Super",
  "PrintScreen",
  "Alt-Tab",
  "Alt-F4",
  "Ctrl-Esc",
  "Ctrl-Alt-Backspace",
];

const FUNCTION_KEYS = Array.from({ length: 12 }, (_, at) => `F${at + 1}`);

const CONTROLS = ["C", "D", "Z", "L", "R", "\\", "]"];

const keysOf = (name) => name.split("-").map((key) => KEY[key]);

function keyButton(label, name, client) {
  return button(label, () => client()?.sendKeys(keysOf(name)));
}

function row(title, names, prefix, client) {
  const buttons = names.map((name) =>
    keyButton(name, `${prefix}${name}`, client),
  );
  return create("div", { className: "row" }, title, ...buttons);
}

/** What the key menus of the toolbar contain. */
export const keyMenu = {
  /** Send Ctrl-Alt-Del. */
  sendCtrlAltDel: (client) => client?.sendKeys(keysOf("Ctrl-Alt-Del")),

  /** Return rows of buttons for keys and combinations. */
  buttons: (client) => [
    row("", COMBINATIONS, "", client),
    row("", FUNCTION_KEYS, "", client),
    row("Ctrl-Alt-", FUNCTION_KEYS, "Ctrl-Alt-", client),
  ],

  /** Return buttons for the control characters of terminals. */
  controls: (client) => [
    create(
      "div",
      { className: "row" },
      ...CONTROLS.map((letter) =>
        button(`Ctrl-${letter}`, () => client()?.sendControl(letter)),
      ),
    ),
    create("p", {}, translate("Keys go to the terminal.")),
  ],
};
