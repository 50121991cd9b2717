// SPDX-License-Identifier: Apache-2.0
/** The connection of a console: opens it, and opens it again when it ends. */

import { socketAddress } from "./location.js";
import { MAX_ATTEMPTS, isPassing, pause } from "./reasons.js";

const MODULES = {
  novnc: async () => (await import("./clients/vnc.js")).VncClient,
  "spice-html5": async () => (await import("./clients/spice.js")).SpiceClient,
  serial: async () => (await import("./clients/serial.js")).SerialClient,
};

/** Seconds after which attempts are counted from zero again. */
const STABLE_AFTER = 10;

/**
 * States are `connecting`, `connected`, `waiting` (for the next attempt) and
 * `closed` (until the user connects again).
 */
export class Connection {
  /** The client of the connection, null while there is none. */
  client = null;

  #console;
  #screen;
  #handlers;
  #attempt = 0;
  #timer = 0;
  #connectedAt = 0;
  #suspended = null;
  // What the gateway said when it closed the last WebSocket.
  #detail = "";

  /**
   * @param {object} console - see `exchange.js`; with `key`
   * @param {HTMLElement} screen - where to show it
   * @param {object} handlers - `onState(state, code, seconds, detail)` and those
   *   of
   *   clients except `onConnected` and `onClosed`
   */
  constructor(console, screen, handlers) {
    this.#console = console;
    this.#screen = screen;
    this.#handlers = handlers;
  }

  /** Connect now. */
  async open() {
    clearTimeout(this.#timer);
    this.#handlers.onState("connecting");
    const load = MODULES[this.#console.console_type];
    if (load === undefined) {
      this.#handlers.onState("closed", 4013);
      return;
    }
    try {
      const Client = await load();
      this.#clear();
      const client = new Client(
        this.#screen,
        () => this.#openSocket(),
        { shared: !this.#console.exclusive },
        {
          ...this.#handlers,
          onConnected: () => this.#connected(),
          onClosed: (code) => {
            if (this.client === client) {
              this.#closed(code);
            }
          },
        },
      );
      this.client = client;
    } catch (error) {
      console.error(error);
      this.#closed(1006);
    }
  }

  /** Connect now, after the user has asked for it. */
  retry() {
    this.#attempt = 0;
    this.open();
  }

  /** Disconnect, because the browser may keep a page that was left. */
  suspend() {
    this.#suspended = this.client;
    this.client = null;
    this.#suspended?.close();
  }

  /** Connect again if `suspend` has disconnected. */
  resume() {
    if (this.#suspended !== null) {
      this.#suspended = null;
      this.retry();
    }
  }

  #openSocket() {
    const protocols = ["binary"];
    if (this.#console.secret) {
      protocols.push(`console.${encode(this.#console.secret)}`);
    }
    const address = socketAddress(document.baseURI, this.#console.key);
    const socket = new WebSocket(address, protocols);
    socket.addEventListener("close", (event) => {
      this.#detail = event.reason;
    });
    return socket;
  }

  #connected() {
    this.#connectedAt = performance.now();
    this.#handlers.onState("connected");
  }

  #closed(code) {
    const client = this.client;
    this.client = null;
    const lasted = (performance.now() - this.#connectedAt) / 1000;
    if (this.#connectedAt && lasted > STABLE_AFTER) {
      this.#attempt = 0;
    }
    this.#connectedAt = 0;
    if (!isPassing(code) || this.#attempt >= MAX_ATTEMPTS) {
      this.#handlers.onState("closed", code, 0, this.#detail);
      return;
    }
    const seconds = pause(this.#attempt++, Math.random());
    this.#handlers.onState("waiting", code, seconds, this.#detail);
    this.#timer = setTimeout(() => {
      client?.close();
      this.open();
    }, seconds * 1000);
  }

  #clear() {
    this.#screen.replaceChildren();
    this.#screen.className = "";
  }
}

/** Encode a secret as part of a subprotocol: base64url without padding. */
function encode(secret) {
  return btoa(secret)
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
