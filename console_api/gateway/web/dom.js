// SPDX-License-Identifier: Apache-2.0
/** Elements of the toolbar. */

import { translate } from "./i18n.js";

/**
 * Create an element.
 *
 * @param {string} name - of the tag
 * @param {object} properties - of the element
 * @param {...(Node|string)} children
 */
export function create(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

/**
 * Create a button.
 *
 * @param {string} label - in English
 * @param {function(): void} act - when it is pressed
 */
export function button(label, act) {
  const element = create("button", { type: "button" }, translate(label));
  element.addEventListener("click", act);
  return element;
}

/**
 * Create a button that is on or off.
 *
 * @param {string} label - in English
 * @param {boolean} isOn - at first
 * @param {function(boolean): void} act - when it changes
 */
export function toggle(label, isOn, act) {
  const element = button(label, () => set(!isPressed()));
  const isPressed = () => element.getAttribute("aria-pressed") === "true";
  const set = (value) => {
    element.setAttribute("aria-pressed", String(value));
    act(value);
  };
  element.setAttribute("aria-pressed", String(isOn));
  return element;
}

/**
 * Create a button that opens a panel, which Escape and other panels close.
 *
 * @param {string} label - in English
 * @param {...Node} content - of the panel
 */
export function menu(label, ...content) {
  const panel = create("div", { className: "panel", hidden: true }, ...content);
  panel.setAttribute("role", "group");
  panel.setAttribute("aria-label", translate(label));
  const opener = button(label, () => set(panel.hidden));
  const set = (isOpen) => {
    if (isOpen) {
      document.dispatchEvent(new CustomEvent("menuopen"));
    }
    panel.hidden = !isOpen;
    opener.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) {
      panel.querySelector("button, textarea, select")?.focus();
    }
  };
  opener.setAttribute("aria-expanded", "false");
  document.addEventListener("menuopen", () => set(false));
  const element = create("div", { className: "menu" }, opener, panel);
  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !panel.hidden) {
      event.stopPropagation();
      set(false);
      opener.focus();
    }
  });
  return element;
}
