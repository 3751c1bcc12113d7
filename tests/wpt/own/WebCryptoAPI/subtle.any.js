// META: title=crypto.subtle
promise_test(async () => {
  const key = await crypto.subtle.importKey("raw", new Uint8Array(32), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
  const data = new TextEncoder().encode("data");
  const signature = await crypto.subtle.sign("HMAC", key, data);
  assert_equals(signature.byteLength, 32);
  assert_true(await crypto.subtle.verify("HMAC", key, signature, data));
  assert_false(await crypto.subtle.verify("HMAC", key, signature, data.subarray(1)));
}, "what was signed verifies, and nothing else");

promise_test(async (t) => {
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  await promise_rejects_dom(t, "InvalidAccessError", crypto.subtle.exportKey("raw", key));
}, "a key that is not extractable stays where it is");

promise_test(async (t) => {
  await promise_rejects_dom(t, "NotSupportedError", crypto.subtle.digest("MD5", new Uint8Array(1)));
}, "an algorithm that is not there is told");
