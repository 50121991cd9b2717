// SPDX-License-Identifier: Apache-2.0
/** The on-screen keyboard of phones, which a focused text field opens. */

import { button } from "./dom.js";
import { keysymOf } from "./typing.js";

const BACKSPACE = [0xff08, "Backspace"];
const ENTER = [0xff0d, "Enter"];

// Something to delete, so that the field notices Backspace.
const FILLER = "_".repeat(32);

/**
 * Create the button.
 *
 * @param {function(): ?object} client - of the connection
 */
export function onScreenKeyboard(client) {
  const field = document.getElementById("keyboard-input");
  const reset = () => {
    field.value = FILLER;
    field.setSelectionRange(FILLER.length, FILLER.length);
  };
  field.addEventListener("focus", reset);
  field.addEventListener("input", (event) => {
    if (event.isComposing) {
      return;
    }
    send(client(), field.value);
    reset();
  });
  field.addEventListener("compositionend", () => {
    send(client(), field.value);
    reset();
  });
  const element = button("Keyboard", () => {
    if (document.activeElement === field) {
      field.blur();
    } else {
      field.focus();
    }
  });
  // The field keeps the focus, so that the button closes the keyboard.
  element.addEventListener("pointerdown", (event) => event.preventDefault());
  element.classList.add("touch-only");
  return element;
}

/** Send what changed in the field as keys. */
function send(client, value) {
  const typed = value.startsWith(FILLER) ? value.slice(FILLER.length) : "";
  const deleted = Math.max(0, FILLER.length - value.length);
  for (let count = 0; count < deleted; count++) {
    client?.sendKeys([BACKSPACE]);
  }
  for (const character of typed) {
    client?.sendKeys([character === "\n" ? ENTER : [keysymOf(character), ""]]);
  }
}
