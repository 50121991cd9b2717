// SPDX-License-Identifier: Apache-2.0
/** A VNC display, shown by noVNC. */

import RFB from "../modules/novnc-1.7.0/core/rfb.js";
import { press, type } from "../typing.js";

/**
 * A client shows one connection of a console.
 *
 * It calls `onConnected()` once, then `onClosed(code)` once.  All clients have
 * the same methods; what one cannot do is not in `features`.
 */
export class VncClient {
  /** What the toolbar may offer, besides the power menu. */
  features = new Set([
    "keys",
    "clipboard",
    "type",
    "scale",
    "viewOnly",
    "touch",
  ]);

  #rfb = null;
  #handlers;

  /**
   * @param {HTMLElement} screen - where to show the display
   * @param {function(): WebSocket} openSocket - opens the WebSocket
   * @param {{shared: boolean}} options - whether others stay connected
   * @param {object} handlers - `onConnected`, `onClosed`, `onFeatures`,
   *   `onClipboard(text)`
   */
  constructor(screen, openSocket, options, handlers) {
    this.#handlers = handlers;
    const socket = openSocket();
    // noVNC says only whether the end was clean.
    let code = 1006;
    socket.addEventListener("close", (event) => (code = event.code));
    this.#rfb = new RFB(screen, socket, { shared: options.shared });
    this.#rfb.background = "transparent";
    this.#rfb.focusOnClick = true;
    const listen = (name, act) => this.#rfb.addEventListener(name, act);
    listen("connect", () => handlers.onConnected());
    listen("disconnect", () => handlers.onClosed(code));
    listen("capabilities", () => this.#updateFeatures());
    listen("clipboard", (event) => handlers.onClipboard(event.detail.text));
  }

  #updateFeatures() {
    if (this.#rfb.capabilities.power) {
      this.features.add("power");
    }
    this.#handlers.onFeatures();
  }

  /** Show the display in the size of the page, or in its own. */
  setScaled(isScaled) {
    this.#rfb.scaleViewport = isScaled;
    this.#rfb.clipViewport = !isScaled;
  }

  /** Send no keys and no pointer. */
  setViewOnly(isViewOnly) {
    this.#rfb.viewOnly = isViewOnly;
  }

  /** Press and release keys: pairs of keysym and `KeyboardEvent.code`. */
  sendKeys(keys) {
    press(keys, (...key) => this.#rfb.sendKey(...key));
  }

  /** Put a text into the clipboard of the server, if it has one. */
  sendClipboard(text) {
    this.#rfb.clipboardPasteFrom(text);
  }

  /** Type a text as keys; see `typing.js`. */
  type(text, layout, onProgress, signal) {
    const sendKey = (...key) => this.#rfb.sendKey(...key);
    return type(text, layout, sendKey, onProgress, signal);
  }

  /** Shut down, reboot or reset the server. */
  power(action) {
    const methods = {
      shutdown: "machineShutdown",
      reboot: "machineReboot",
      reset: "machineReset",
    };
    this.#rfb[methods[action]]();
  }

  /** Send keys to this display. */
  focus() {
    this.#rfb.focus();
  }

  /** End the connection. */
  close() {
    this.#rfb.disconnect();
  }
}
