// SPDX-License-Identifier: Apache-2.0
/** The toolbar: what a user can do besides looking, typing and pointing. */

import { button, create, menu, toggle } from "./dom.js";
import { translate } from "./i18n.js";
import { keyMenu } from "./keys.js";
import { onScreenKeyboard } from "./keyboard.js";
import { pasteMenu } from "./paste.js";

/** Offers what the client of the connection can do. */
export class Toolbar {
  #client = null;
  #isScaled = true;
  #isViewOnly;
  #items = [];
  #clipboard;

  /**
   * @param {HTMLElement} element - the toolbar
   * @param {HTMLElement} screen - gets the focus back
   * @param {object} console - see `exchange.js`
   */
  constructor(element, screen, { view_only: isViewOnly }) {
    this.#isViewOnly = isViewOnly;
    const client = () => this.#client;
    this.#clipboard = create("textarea", { spellcheck: false });
    this.#clipboard.setAttribute("aria-label", translate("Clipboard"));
    if (isViewOnly) {
      this.#add("any", create("span", {}, translate("View only")));
    } else {
      this.#addInput(client);
    }
    this.#add(
      "scale",
      toggle("Scale", true, (isScaled) => {
        this.#isScaled = isScaled;
        client()?.setScaled(isScaled);
      }),
    );
    if (document.fullscreenEnabled) {
      this.#add("any", button("Full screen", () => switchFullScreen(client)));
    }
    element.replaceChildren(...this.#items.map(([, item]) => item));
    this.update(null);
  }

  #add(feature, item) {
    this.#items.push([feature, item]);
  }

  #addInput(client) {
    this.#add(
      "keys",
      button("Ctrl-Alt-Del", () => {
        keyMenu.sendCtrlAltDel(client());
        client()?.focus();
      }),
    );
    this.#add("keys", menu("Keys", ...keyMenu.buttons(client)));
    this.#add("control", menu("Keys", ...keyMenu.controls(client)));
    this.#add(
      "clipboard",
      menu("Clipboard", this.#clipboard, this.#sendButton(client)),
    );
    this.#add("type", pasteMenu(client));
    this.#add("touch", onScreenKeyboard(client));
    this.#add("power", menu("Power", ...powerButtons(client)));
    this.#add(
      "viewOnly",
      toggle("View only", false, (isOn) => {
        this.#isViewOnly = isOn;
        client()?.setViewOnly(isOn);
      }),
    );
  }

  #sendButton(client) {
    return button("Send to the server", () => {
      client()?.sendClipboard(this.#clipboard.value);
    });
  }

  /**
   * Offer what a client can do.
   *
   * @param {?object} client - null while there is no connection
   */
  update(client) {
    this.#client = client;
    for (const [feature, item] of this.#items) {
      item.hidden = feature !== "any" && !client?.features.has(feature);
    }
    client?.setScaled(this.#isScaled);
    client?.setViewOnly(this.#isViewOnly);
    client?.focus();
  }

  /** Show the text of the clipboard of the server. */
  showClipboard(text) {
    this.#clipboard.value = text;
  }
}

function powerButtons(client) {
  const actions = { shutdown: "Shut down", reboot: "Reboot", reset: "Reset" };
  return Object.entries(actions).map(([action, label]) =>
    button(label, () => {
      const question = translate("{action} the server?", {
        action: translate(label),
      });
      if (window.confirm(question)) {
        client()?.power(action);
        client()?.focus();
      }
    }),
  );
}

async function switchFullScreen(client) {
  if (document.fullscreenElement) {
    await document.exitFullscreen();
  } else {
    await document.documentElement.requestFullscreen();
    // Where it is supported, the browser then passes on keys such as Alt-Tab.
    await navigator.keyboard?.lock?.().catch(() => {});
  }
  client()?.focus();
}
