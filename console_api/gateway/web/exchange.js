// SPDX-License-Identifier: Apache-2.0
/** Exchange of the token for the secret of a console. */

const TIMEOUT = 20000;

/** The gateway refuses the token; `code` is that of a close frame. */
export class Refused extends Error {
  /**
   * @param {number} code - see reasons.js
   * @param {string} message - in English, from the gateway
   * @param {?number} retryAfter - seconds, null if a retry cannot succeed
   */
  constructor(code, message, retryAfter) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/**
 * Exchange a token, once: a token may be worth nothing afterwards.
 *
 * @param {string} token - from the address of the page
 * @returns {Promise<object>} `console` (the key), `secret` (null if it is in a
 *   cookie), `console_type`, `view_only`, `exclusive`, `resume_timeout`
 * @throws {Refused} if the gateway refuses it or cannot be reached
 */
export async function exchange(token) {
  let response;
  try {
    response = await fetch("exchange", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      // Nova's tokens do not tell for which of the pages they are.
      body: JSON.stringify({ token, page: location.pathname.split("/").pop() }),
      credentials: "include",
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT),
    });
  } catch (error) {
    throw new Refused(1006, String(error), null);
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new Refused(
      answer.code ?? 1011,
      answer.message ?? "",
      answer.retry_after ?? null,
    );
  }
  return answer;
}
