// Imported first: keeps stdout for the protocol, survives stray rejections, and refuses every address but a homeserver on loopback.
import util from "node:util";

const LEVELS = { debug: 0, info: 1, warn: 2, silent: 9 };
const lowest = LEVELS[process.env.KEYHOUSE_CLIENT_LOG ?? "warn"] ?? 2;
export const log = (level, ...said) => { if (LEVELS[level] >= lowest) process.stderr.write(`[${level}] ${util.format(...said)}\n`); };
console.log = console.info = (...a) => log("info", ...a);
console.debug = console.trace = (...a) => log("debug", ...a);
console.warn = (...a) => log("info", ...a);
console.error = (...a) => log("warn", ...a);
process.on("unhandledRejection", (e) => log("warn", "unhandledRejection", e?.message ?? e));
process.on("uncaughtException", (e) => log("warn", "uncaughtException", e?.stack ?? e));

const allowedOrigins = new Set();
const realFetch = globalThis.fetch;
export const blocked = [];
globalThis.fetch = (input, init) => {
    const u = new URL(typeof input === "string" ? input : (input.url ?? String(input)));
    if (!allowedOrigins.has(u.origin)) {
        blocked.push(u.origin);
        return Promise.reject(new Error(`network access to ${u.origin} is not allowed`));
    }
    return realFetch(input, init);
};
export function allowHs(hs) {
    const u = new URL(hs);
    const loop = ["127.0.0.1", "localhost", "[::1]"].includes(u.hostname);
    if (!loop) throw new Error(`homeserver ${u.origin} is not on loopback`);
    allowedOrigins.add(u.origin);
    return hs.replace(/\/+$/, "");
}
