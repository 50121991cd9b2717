// SPDX-License-Identifier: Apache-2.0
/** A SPICE display, shown by spice-html5. */

import { create } from "../dom.js";
import {
  SpiceMainConn,
  sendCtrlAltDel,
} from "../modules/spice-html5-0.2.1/src/main.js";

/** See `VncClient`. */
export class SpiceClient {
  features = new Set(["ctrlAltDel", "scale"]);

  #connection = null;
  #display;
  #resizes;
  #isScaled = true;
  #restore;

  constructor(screen, openSocket, options, handlers) {
    this.#display = create("div", { id: "spice-display" });
    const messages = create("div", { id: "spice-messages", hidden: true });
    screen.append(this.#display, messages);
    this.#resizes = new ResizeObserver(() => this.#fit());
    this.#resizes.observe(screen);
    this.#resizes.observe(this.#display);
    let main = null;
    let isConnected = false;
    // spice-html5 opens a WebSocket for each channel by itself; the first one
    // is that of the main channel, which all others end with.
    this.#restore = replaceWebSocket(() => {
      const socket = openSocket();
      if (main === null) {
        main = socket;
        socket.addEventListener("close", (event) => {
          this.#restore();
          handlers.onClosed(event.code);
        });
      }
      return socket;
    });
    this.#connection = new SpiceMainConn({
      uri: location.href,
      screen_id: this.#display.id,
      message_id: messages.id,
      password: "",
      onsuccess: () => {
        if (!isConnected) {
          isConnected = true;
          handlers.onConnected();
        }
      },
      onerror: () => main?.close(),
    });
  }

  setScaled(isScaled) {
    this.#isScaled = isScaled;
    this.#fit();
  }

  // Positions of the pointer are those of the display, whatever its scale.
  #fit() {
    const canvas = this.#display.querySelector("canvas");
    const { clientWidth, clientHeight } = this.#display.parentElement;
    const scale =
      this.#isScaled && canvas
        ? Math.min(clientWidth / canvas.width, clientHeight / canvas.height)
        : 1;
    this.#display.style.transform = `scale(${scale})`;
  }

  setViewOnly() {}

  sendCtrlAltDel() {
    sendCtrlAltDel(this.#connection);
  }

  focus() {
    this.#display.querySelector("canvas")?.focus();
  }

  close() {
    this.#resizes.disconnect();
    this.#connection.stop();
    this.#restore();
  }
}

/**
 * Have scripts that open a WebSocket get another one.
 *
 * @param {function(): WebSocket} open - opens it
 * @returns {function(): void} ends this
 */
function replaceWebSocket(open) {
  const original = window.WebSocket;
  let isOpening = false;
  window.WebSocket = new Proxy(original, {
    construct(target, parameters) {
      if (isOpening) {
        return Reflect.construct(target, parameters);
      }
      isOpening = true;
      try {
        return open();
      } finally {
        isOpening = false;
      }
    },
  });
  return () => {
    window.WebSocket = original;
  };
}
