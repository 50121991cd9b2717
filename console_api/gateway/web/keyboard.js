// SPDX-License-Identifier: Apache-2.0
/** The on-screen keyboard of phones, which a focused text field opens. */

import { button } from "./dom.js";
import { translate } from "./i18n.js";
import { chosenLayout, untypableNote } from "./paste.js";

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
  let typing = Promise.resolve();
  const send = () => {
    const text = changeOf(field.value);
    typing = typing.then(() => client()?.type(text, chosenLayout()));
    if (client()) {
      document.getElementById("status").textContent =
        untypableNote(client(), text) || translate("Connected");
    }
    reset();
  };
  field.addEventListener("focus", reset);
  field.addEventListener("input", (event) => {
    if (!event.isComposing) {
      send();
    }
  });
  field.addEventListener("compositionend", send);
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

/** Return what changed in the field, as text to type. */
function changeOf(value) {
  const typed = value.startsWith(FILLER) ? value.slice(FILLER.length) : "";
  const deleted = Math.max(0, FILLER.length - value.length);
  return "\b".repeat(deleted) + typed;
}
