// SPDX-License-Identifier: Apache-2.0
/** The page of a console: exchanges its token, connects, shows its state. */

import { Connection } from "./connection.js";
import { Refused, exchange } from "./exchange.js";
import { loadCatalog, translate } from "./i18n.js";
import { parseLocation, withKey } from "./location.js";
import { explain, isFinal, isPassing, pause } from "./reasons.js";
import { Toolbar } from "./toolbar.js";

const element = (id) => document.getElementById(id);

// Attempts to exchange the token while the service is unavailable.
const MAX_EXCHANGES = 6;

/** Show a state in words, and what the user can do about it. */
class Status {
  #retry;

  /** @param {function(): void} retry - connects again */
  constructor(retry) {
    this.#retry = retry;
    element("notice-action").addEventListener("click", () => this.#retry());
  }

  show(state, text) {
    element("status").dataset.state = state;
    element("status").textContent = text;
    element("notice").hidden = true;
  }

  /** Cover the screen with a reason; offer to connect again if useful. */
  cover(text, isFinal) {
    this.show("closed", text);
    element("notice").hidden = false;
    element("notice-text").textContent = text;
    const action = element("notice-action");
    action.hidden = isFinal;
    action.textContent = translate("Connect again");
    if (!isFinal) {
      action.focus();
    }
  }
}

/**
 * Take the token out of the address before anything else, so that it stays
 * neither in the history nor in a referrer.
 */
function takeToken() {
  const found = parseLocation(location.href);
  history.replaceState(history.state, "", found.clean);
  return found;
}

/** Return the console of the address: exchange its token, or know its key. */
async function findConsole({ token, key, clean }, status) {
  if (token === null) {
    const known = key && recall(key);
    return known ? { ...known, key } : null;
  }
  for (let attempt = 0; ; attempt++) {
    try {
      const found = await exchange(token);
      remember(found);
      history.replaceState(null, "", withKey(clean, found.console));
      return { ...found, key: found.console };
    } catch (error) {
      const isLast = attempt >= MAX_EXCHANGES;
      if (!(error instanceof Refused) || !isPassing(error.code) || isLast) {
        throw error;
      }
      const seconds = error.retryAfter ?? pause(attempt, Math.random());
      status.show("connecting", explain(error.code, error.message, translate));
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    }
  }
}

// What a reload has to know besides the secret, which is in a cookie.
const storageKey = (key) => `console-${key}`;

function remember({ console: key, secret, ...rest }) {
  if (secret !== null) {
    return;
  }
  try {
    sessionStorage.setItem(storageKey(key), JSON.stringify(rest));
  } catch {
    // Storage may be blocked in a frame of another site: no reload then.
  }
}

function recall(key) {
  try {
    return JSON.parse(sessionStorage.getItem(storageKey(key)));
  } catch {
    return null;
  }
}

async function start() {
  const found = takeToken();
  await loadCatalog(navigator.languages);
  translatePage(found.title);
  let connection = null;
  const status = new Status(() => connection?.retry());
  status.show("connecting", translate("Connecting"));
  let opened = null;
  try {
    opened = await findConsole(found, status);
  } catch (error) {
    const code = error instanceof Refused ? error.code : 1011;
    status.cover(explain(code, error.message, translate), true);
    return;
  }
  if (opened === null) {
    status.cover(translate("Open the console again from your dashboard."), true);
    return;
  }
  const screen = element("screen");
  const toolbar = new Toolbar(element("toolbar"), screen, opened);
  connection = new Connection(opened, screen, {
    onState(state, code, seconds, detail) {
      showState(status, state, code, seconds, detail);
      toolbar.update(state === "connected" ? connection.client : null);
    },
    onFeatures: () => toolbar.update(connection.client),
    onClipboard: (text) => toolbar.showClipboard(text),
  });
  addEventListener("pagehide", () => connection.suspend());
  addEventListener("pageshow", () => connection.resume());
  connection.open();
}

function showState(status, state, code, seconds, detail) {
  const reason = code === undefined ? "" : explain(code, detail, translate);
  if (state === "closed") {
    status.cover(reason, isFinal(code));
  } else if (state === "waiting") {
    const again = translate("Connecting again in {seconds} s.", {
      seconds: Math.ceil(seconds),
    });
    status.show("waiting", `${reason} ${again}`);
  } else {
    const text = state === "connected" ? "Connected" : "Connecting";
    status.show(state, translate(text));
  }
}

function translatePage(title) {
  element("title").textContent = title || translate("Console");
  document.title = title || translate("Console");
  element("toolbar").setAttribute("aria-label", translate("Console"));
}

start();
