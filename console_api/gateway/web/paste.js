// SPDX-License-Identifier: Apache-2.0
/** The panel that types a text as keys. */

import { button, create, menu } from "./dom.js";
import { translate } from "./i18n.js";
import { LAYOUT_NAMES, untypable } from "./layouts.js";

const LAYOUT_SETTING = "console-layout";

let chosen = stored();

/** Return which of `LAYOUT_NAMES` the user has chosen for the server. */
export const chosenLayout = () => chosen;

/**
 * Say which characters the chosen layout cannot type.
 *
 * @param {?object} client - of the connection; a terminal takes all
 * @param {string} text
 * @returns {string} empty if it can type all
 */
export function untypableNote(client, text) {
  const missing = client?.features.has("keys") ? untypable(text, chosen) : [];
  return missing.length
    ? translate("This layout cannot type: {characters}", {
        characters: missing.join(" "),
      })
    : "";
}

/**
 * Create the menu.
 *
 * @param {function(): ?object} client - of the connection
 */
export function pasteMenu(client) {
  const text = create("textarea", { spellcheck: false });
  text.setAttribute("aria-label", translate("Text to type"));
  const layout = layoutChoice();
  const message = create("p", {});
  message.setAttribute("role", "status");
  let typing = null;
  const check = () => {
    message.textContent = untypableNote(client(), text.value);
    message.classList.toggle("warning", message.textContent !== "");
  };
  const start = button("Type", async () => {
    typing?.abort();
    typing = new AbortController();
    stop.hidden = false;
    await client()?.type(
      text.value,
      layout.value,
      (done, all) => {
        message.textContent = translate("Typed {done} of {all}", { done, all });
      },
      typing.signal,
    );
    stop.hidden = true;
  });
  const stop = button("Stop", () => typing?.abort());
  stop.hidden = true;
  text.addEventListener("input", check);
  layout.addEventListener("change", () => {
    store(layout.value);
    check();
  });
  return menu(
    "Type text",
    text,
    create(
      "label",
      { className: "row" },
      translate("Keyboard layout of the server"),
      layout,
    ),
    message,
    create("div", { className: "row" }, start, stop),
  );
}

function layoutChoice() {
  const choice = create("select", {});
  for (const [id, name] of Object.entries(LAYOUT_NAMES)) {
    choice.append(create("option", { value: id }, name));
  }
  choice.value = chosen;
  return choice;
}

// Storage may be blocked in a frame of another site.
function stored() {
  try {
    const id = localStorage.getItem(LAYOUT_SETTING);
    return id in LAYOUT_NAMES ? id : "us";
  } catch {
    return "us";
  }
}

function store(id) {
  chosen = id;
  try {
    localStorage.setItem(LAYOUT_SETTING, id);
  } catch {
    // The choice lasts as long as the page.
  }
}
