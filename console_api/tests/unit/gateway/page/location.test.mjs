// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";

const { parseLocation, socketAddress, withKey } = await import(
  `${process.env.PAGE}/location.js`
);

const KEY = "c0123456789abcdefghijkl".slice(0, 23);

test("tokens of existing URLs are found", () => {
  for (const [address, token] of [
    ["https://gw/vnc_auto.html?path=%3Ftoken%3Dabc", "abc"],
    ["https://gw/vnc_lite.html?path=%3Ftoken%3Dabc&title=web1(1)", "abc"],
    ["https://gw/vnc.html?path=websockify%3Fx%3D1%26token%3Dabc", "abc"],
    ["https://gw/spice_auto.html?token=abc&title=web1", "abc"],
    ["https://gw/prefix/?token=abc", "abc"],
    ["https://gw/vnc_auto.html", null],
    ["https://gw/vnc_auto.html?path=token%3Dabc", null],
  ]) {
    assert.equal(parseLocation(address).token, token, address);
  }
});

test("the clean address has neither token nor foreign parameters", () => {
  const { clean, title } = parseLocation(
    "https://gw/p/vnc_auto.html?path=%3Ftoken%3Dabc&title=web1%28a%20b%29" +
      "&host=evil&port=1&encrypt=0",
  );
  assert.equal(title, "web1(a b)");
  assert.equal(clean, "https://gw/p/vnc_auto.html?title=web1(a%20b)");
});

test("a reload finds the key", () => {
  const address = withKey("https://gw/vnc_auto.html?title=x", KEY);
  assert.equal(parseLocation(address).key, KEY);
  assert.equal(parseLocation("https://gw/#console=short").key, null);
});

test("the WebSocket is beside the page, whatever its address says", () => {
  for (const [address, socket] of [
    ["https://gw/vnc_auto.html?host=evil", "wss://gw/connect/"],
    ["http://gw:6080/prefix/vnc.html#console=x", "ws://gw:6080/prefix/connect/"],
    ["http://[::1]:6080/", "ws://[::1]:6080/connect/"],
  ]) {
    assert.equal(socketAddress(address, KEY), socket + KEY);
  }
});
