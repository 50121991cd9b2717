// SPDX-License-Identifier: Apache-2.0
/** A serial console, shown by xterm.js. */

import { FitAddon } from "../modules/xterm-addon-fit-0.11.0/lib/addon-fit.mjs";
import { WebglAddon } from "../modules/xterm-addon-webgl-0.19.0/lib/addon-webgl.mjs";
import { Terminal } from "../modules/xterm-6.0.0/lib/xterm.mjs";
import { create } from "../dom.js";
import { normalize } from "../layouts.js";
import { sendPaced } from "../typing.js";

const SCROLLBACK = 10000;

// What the keys of a terminal send.
const SEQUENCES = { "\b": "\x7f", "\n": "\r" };

/** See `VncClient`. */
export class SerialClient {
  features = new Set(["type", "viewOnly", "touch", "control"]);

  #socket;
  #terminal;
  #styles;
  #resizes;
  #isViewOnly = false;

  constructor(screen, openSocket, options, handlers) {
    this.#terminal = new Terminal({
      cursorBlink: true,
      scrollback: SCROLLBACK,
      screenReaderMode: true,
      convertEol: false,
    });
    this.#socket = openSocket();
    this.#socket.binaryType = "arraybuffer";
    this.#show(screen);
    this.#socket.addEventListener("open", () => {
      handlers.onConnected();
      // Makes a login program show its prompt again.
      this.#send(new Uint8Array([0x0d]));
    });
    this.#socket.addEventListener("close", (event) =>
      handlers.onClosed(event.code),
    );
    this.#socket.addEventListener("message", (event) =>
      this.#terminal.write(
        typeof event.data === "string"
          ? event.data
          : new Uint8Array(event.data),
      ),
    );
    const encoder = new TextEncoder();
    this.#terminal.onData((text) => this.#send(encoder.encode(text)));
    this.#terminal.onBinary((text) =>
      this.#send(Uint8Array.from(text, (one) => one.charCodeAt(0))),
    );
  }

  #show(screen) {
    screen.classList.add("terminal");
    addStyleSheet();
    this.#styles = adoptStyles(screen);
    const fit = new FitAddon();
    this.#terminal.loadAddon(fit);
    this.#terminal.open(screen);
    try {
      const renderer = new WebglAddon();
      renderer.onContextLoss(() => renderer.dispose());
      this.#terminal.loadAddon(renderer);
    } catch {
      // Without WebGL, it draws with elements, which is slower.
    }
    this.#resizes = new ResizeObserver(() => fit.fit());
    this.#resizes.observe(screen);
  }

  #send(bytes) {
    if (!this.#isViewOnly && this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.send(bytes);
    }
  }

  setScaled() {}

  setViewOnly(isViewOnly) {
    this.#isViewOnly = isViewOnly;
    this.#terminal.options.disableStdin = isViewOnly;
  }

  /** Send a control character, such as `C` for Ctrl-C. */
  sendControl(letter) {
    this.#send(new Uint8Array([letter.charCodeAt(0) & 0x1f]));
  }

  type(text, layout, onProgress, signal) {
    // The guest reads bytes: every character can be typed.
    const lines = normalize(text).split(/(?<=\n)/);
    const encoder = new TextEncoder();
    const send = (line) =>
      this.#send(
        encoder.encode(line.replace(/[\b\n]/g, (key) => SEQUENCES[key])),
      );
    return sendPaced(lines, send, onProgress, signal);
  }

  focus() {
    this.#terminal.focus();
  }

  /** The text on the terminal; tests and screen readers need it. */
  get text() {
    const buffer = this.#terminal.buffer.active;
    const lines = [];
    for (let at = 0; at < buffer.length; at++) {
      lines.push(buffer.getLine(at).translateToString(true));
    }
    return lines.join("\n");
  }

  close() {
    this.#resizes.disconnect();
    this.#styles.disconnect();
    this.#socket.close();
    this.#terminal.dispose();
  }
}

function addStyleSheet() {
  const id = "terminal-style";
  if (!document.getElementById(id)) {
    const href = new URL(
      "../modules/xterm-6.0.0/css/xterm.css",
      import.meta.url,
    ).href;
    document.head.append(create("link", { id, rel: "stylesheet", href }));
  }
}

/**
 * Adopt the style elements that xterm.js adds below an element.
 *
 * The policy of the page refuses inline styles; style sheets of scripts are
 * not inline.
 */
function adoptStyles(element) {
  const sheets = new Map();
  const update = () => {
    for (const style of element.querySelectorAll("style")) {
      if (!sheets.has(style)) {
        sheets.set(style, new CSSStyleSheet());
        document.adoptedStyleSheets.push(sheets.get(style));
      }
      sheets.get(style).replaceSync(style.textContent);
    }
  };
  const observer = new MutationObserver(update);
  observer.observe(element, {
    childList: true,
    subtree: true,
    characterData: true,
  });
  return observer;
}
