// SPDX-License-Identifier: Apache-2.0
/**
 * What the address of the page says: token, key of the console, and title.
 *
 * Parameters that would lead elsewhere (host, port, encrypt, an absolute path)
 * are ignored: a link must not show the screen of another machine under our
 * name.
 */

const KEY = /^#console=([A-Za-z0-9_-]{23})$/;

/**
 * Parse an address.
 *
 * @param {string} address - the URL of the page
 * @returns {{token: ?string, key: ?string, title: string, clean: string}} the
 *   token and the key, null if there is none; the title, empty if there is
 *   none; and the address without the token
 */
export function parseLocation(address) {
  const url = new URL(address);
  const key = KEY.exec(url.hash)?.[1] ?? null;
  const title = url.searchParams.get("title") ?? "";
  const token = findToken(url.searchParams);
  url.search = title ? `?title=${encodeURIComponent(title)}` : "";
  return { token, key, title, clean: url.href };
}

function findToken(parameters) {
  const direct = parameters.get("token");
  if (direct) {
    return direct;
  }
  // noVNC's parameter: the path of its WebSocket with the token in its query.
  const path = parameters.get("path") ?? "";
  const query = path.slice(path.indexOf("?") + 1);
  return path.includes("?") ? new URLSearchParams(query).get("token") : null;
}

/**
 * Return the address of a console, which a reload finds again.
 *
 * @param {string} clean - the address without the token
 * @param {string} key - the key of the console, which opens nothing
 */
export function withKey(clean, key) {
  const url = new URL(clean);
  url.hash = `console=${key}`;
  return url.href;
}

/**
 * Return the address of the WebSocket of a console.
 *
 * @param {string} address - the URL of the page
 * @param {string} key - the key of the console
 */
export function socketAddress(address, key) {
  const url = new URL(`connect/${key}`, address);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = url.hash = "";
  return url.href;
}
