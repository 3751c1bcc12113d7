import { SignJWT, jwtVerify } from "jose";
import { Checks } from "./check.js";

export default async () => {
  const checks = new Checks();
  const secret = new TextEncoder().encode("a secret of thirty-two bytes, or so");
  const token = await new SignJWT({ role: "agent" }).setProtectedHeader({ alg: "HS256" }).setIssuer("a").setExpirationTime("1h").sign(secret);
  checks.equal("a token that is verified", (await jwtVerify(token, secret, { issuer: "a" })).payload.role, "agent");
  await checks.throws("a token that was changed", () => jwtVerify(`${token.slice(0, -2)}xx`, secret), /JWSSignatureVerificationFailed|JWSInvalid/);
  await checks.throws("another issuer", () => jwtVerify(token, secret, { issuer: "b" }), /JWTClaimValidationFailed/);
  return checks.report;
};
