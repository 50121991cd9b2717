// SPDX-License-Identifier: Apache-2.0
/**
 * Why a connection was closed, in words, and whether to connect again.
 *
 * The codes are those of the gateway's close frames.
 */

/** Words by code; codes from 4000 on are the gateway's own. */
const REASONS = {
  1000: "The session was closed.",
  1001: "The session was closed.",
  1002: "The gateway refused a message of this browser.",
  1006: "The connection was lost.",
  1008: "The gateway refused a message of this browser.",
  1009: "The gateway refused a message that is too large.",
  1011: "There was an unexpected error in the gateway.",
  1012: "The gateway restarts.",
  4000: "The connection was lost.",
  4001: "This console was opened in another window.",
  4002: "The session was ended by a user or an administrator.",
  4003: "The console was revoked, or its server moved or deleted. Open it again.",
  4004: "The session was idle for too long.",
  4005: "The session reached its time limit.",
  4006: "The server closed the connection.",
  4007: "The display of the server cannot be reached.",
  4008: "There are too many open sessions.",
  4009: "This link is not valid any more. Open the console again.",
  4010: "This link was used already. Open the console again.",
  4011: "Access is locked by an administrator.",
  4012: "The service is not available at the moment.",
  4013: "This gateway does not serve consoles of this type.",
};

const LIMIT_REACHED = 4008;

/** Codes after which a new connection may succeed. */
const PASSING = new Set([1006, 1011, 1012, 4000, 4006, 4007, 4008, 4012]);

/** Codes after which nothing resumes the session. */
const FINAL = new Set([
  1008, 4002, 4003, 4004, 4005, 4009, 4010, 4011, 4013,
]);

const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 30;

/** How many attempts in a row fail before the user is asked. */
export const MAX_ATTEMPTS = 12;

/**
 * Return the words of a code.
 *
 * @param {number} code - of a close frame
 * @returns {string} a sentence in English, the key of translations
 */
export function reasonOf(code) {
  return REASONS[code] ?? REASONS[1006];
}

/** Return all sentences, for checks of translations. */
export function allReasons() {
  return [...new Set(Object.values(REASONS))];
}

/**
 * Return the words of a code, with what the gateway says about a limit.
 *
 * @param {number} code - of a close frame
 * @param {string} detail - from the gateway, in English
 * @param {function(string): string} translate
 */
export function explain(code, detail, translate) {
  const words = translate(reasonOf(code));
  return code === LIMIT_REACHED && detail ? `${words} (${detail})` : words;
}

/**
 * Return whether to connect again without asking.
 *
 * @param {number} code - of a close frame
 */
export function isPassing(code) {
  return PASSING.has(code);
}

/**
 * Return whether the console has to be opened again from elsewhere.
 *
 * @param {number} code - of a close frame
 */
export function isFinal(code) {
  return FINAL.has(code);
}

/**
 * Return the seconds to wait before an attempt to connect again.
 *
 * They double, and are spread so that the pages of a gateway that stopped do
 * not all come at once.
 *
 * @param {number} attempt - 0 for the first one in a row
 * @param {number} random - from 0 to 1
 */
export function pause(attempt, random) {
  const longest = Math.min(FIRST_PAUSE * 2 ** attempt, LONGEST_PAUSE);
  return longest * (0.5 + random / 2);
}
