// Encrypted attachments as the specification has them: AES-CTR, version 2.
import { createHash, randomBytes, webcrypto } from "node:crypto";

export const b64u = (buf) => Buffer.from(buf).toString("base64").replace(/=+$/, "");

export async function encryptAttachment(data) {
    const key = randomBytes(32), iv = Buffer.concat([randomBytes(8), Buffer.alloc(8)]);
    const k = await webcrypto.subtle.importKey("raw", key, "AES-CTR", false, ["encrypt"]);
    const ct = Buffer.from(await webcrypto.subtle.encrypt({ name: "AES-CTR", counter: iv, length: 64 }, k, data));
    return { ct, file: { v: "v2", key: { alg: "A256CTR", ext: true, k: key.toString("base64url"), key_ops: ["encrypt", "decrypt"], kty: "oct" },
        iv: b64u(iv), hashes: { sha256: b64u(createHash("sha256").update(ct).digest()) } } };
}
export async function decryptAttachment(ct, file) {
    if (b64u(createHash("sha256").update(ct).digest()) !== file.hashes.sha256.replace(/=+$/, "")) throw new Error("attachment hash mismatch");
    const k = await webcrypto.subtle.importKey("raw", Buffer.from(file.key.k, "base64url"), "AES-CTR", false, ["decrypt"]);
    return Buffer.from(await webcrypto.subtle.decrypt({ name: "AES-CTR", counter: Buffer.from(file.iv, "base64"), length: 64 }, k, ct));
}
