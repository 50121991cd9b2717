// SPDX-License-Identifier: Apache-2.0
/** A SPICE display, shown by spice-html5. */

import { create } from "../dom.js";
import Keyboard from "../modules/novnc-1.7.0/core/input/keyboard.js";
import { Constants } from "../modules/spice-html5-0.2.1/src/enums.js";
import { SpiceMainConn } from "../modules/spice-html5-0.2.1/src/main.js";
import {
  SpiceMiniData,
  SpiceMsgcKeyDown,
} from "../modules/spice-html5-0.2.1/src/spicemsg.js";
import { scancodeOf } from "../scancodes.js";
import { press, type } from "../typing.js";

/** Channels without which there is nothing to see or to control. */
const NEEDED = new Set([
  Constants.SPICE_CHANNEL_MAIN,
  Constants.SPICE_CHANNEL_DISPLAY,
  Constants.SPICE_CHANNEL_INPUTS,
]);

/** How the gateway closes the channel for inputs of a view-only session. */
const REFUSED = 1008;

const OriginalWebSocket = window.WebSocket;
const POINTER_EVENTS = ["mousemove", "mousedown", "mouseup", "wheel"];

/** See `VncClient`. */
export class SpiceClient {
  features = new Set(["keys", "type", "scale", "viewOnly", "touch"]);

  #connection = null;
  #display;
  #keyboard;
  #resizes;
  #isScaled = true;
  #isViewOnly = false;
  #restore;

  constructor(screen, openSocket, options, handlers) {
    this.#display = create("div", { id: "spice-display", tabIndex: -1 });
    const messages = create("div", { id: "spice-messages", hidden: true });
    screen.append(this.#display, messages);
    this.#resizes = new ResizeObserver(() => this.#fit());
    this.#resizes.observe(screen);
    this.#resizes.observe(this.#display);
    this.#listen();
    let main = null;
    let isConnected = false;
    let areInputsRefused = false;
    const checkChannels = () => {
      const { display, inputs } = this.#connection;
      if (
        !isConnected &&
        display?.state === "ready" &&
        (inputs?.state === "ready" || areInputsRefused)
      ) {
        isConnected = true;
        handlers.onConnected();
      }
    };
    // spice-html5 opens a WebSocket for each channel by itself; the first one
    // is that of the main channel, which all others end with. It reports
    // nothing of the others.
    this.#restore = replaceWebSocket(() => {
      const socket = openSocket();
      main ??= socket;
      socket.addEventListener("open", () => {
        // After spice-html5 has handled the message.
        socket.addEventListener("message", checkChannels);
      });
      socket.addEventListener("close", (event) => {
        const { type } = socket.parent;
        if (type === Constants.SPICE_CHANNEL_INPUTS && event.code === REFUSED) {
          areInputsRefused = true;
          checkChannels();
        } else if (NEEDED.has(type)) {
          main.close();
          this.#restore();
          handlers.onClosed(event.code);
        }
      });
      return socket;
    });
    this.#connection = new SpiceMainConn({
      uri: location.href,
      screen_id: this.#display.id,
      message_id: messages.id,
      password: "",
      onerror: () => main?.close(),
    });
  }

  // spice-html5 knows keys of US keyboards only, by the characters on them, so
  // noVNC handles the keys instead: the display has the focus, not its canvas.
  #listen() {
    this.#keyboard = new Keyboard(this.#display);
    this.#keyboard.onkeyevent = (...key) => this.#sendKey(...key);
    const listen = (name, act) =>
      this.#display.addEventListener(name, act, { capture: true });
    listen("focusin", (event) => {
      if (event.target !== this.#display) {
        this.focus();
      }
    });
    listen("mousedown", () => this.focus());
    // spice-html5 would take the focus from the toolbar.
    listen("mouseover", (event) => event.stopPropagation());
    for (const name of POINTER_EVENTS) {
      listen(name, (event) => this.#isViewOnly && event.stopPropagation());
    }
  }

  #sendKey(keysym, code, isDown) {
    const { inputs } = this.#connection;
    const key = new SpiceMsgcKeyDown();
    key.code = scancodeOf(code, isDown);
    if (this.#isViewOnly || inputs?.state !== "ready" || !key.code) {
      return;
    }
    const message = new SpiceMiniData();
    message.build_msg(
      isDown
        ? Constants.SPICE_MSGC_INPUTS_KEY_DOWN
        : Constants.SPICE_MSGC_INPUTS_KEY_UP,
      key,
    );
    inputs.send_msg(message);
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

  setViewOnly(isViewOnly) {
    if (isViewOnly) {
      // Releases the keys that are held.
      this.#keyboard.ungrab();
    } else {
      this.#keyboard.grab();
    }
    this.#isViewOnly = isViewOnly;
  }

  sendKeys(keys) {
    press(keys, (...key) => this.#sendKey(...key));
  }

  type(text, layout, onProgress, signal) {
    const sendKey = (...key) => this.#sendKey(...key);
    return type(text, layout, sendKey, onProgress, signal);
  }

  focus() {
    this.#display.focus({ preventScroll: true });
  }

  close() {
    this.#keyboard.ungrab();
    this.#resizes.disconnect();
    this.#connection.stop();
    this.#restore();
  }
}

/**
 * Have scripts that open a WebSocket get another one.
 *
 * @param {function(): WebSocket} open - opens it
 * @returns {function(): void} ends this, unless another one has replaced it
 */
function replaceWebSocket(open) {
  let isOpening = false;
  const replacement = new Proxy(OriginalWebSocket, {
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
  window.WebSocket = replacement;
  return () => {
    if (window.WebSocket === replacement) {
      window.WebSocket = OriginalWebSocket;
    }
  };
}
