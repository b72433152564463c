#!/usr/bin/env node
// The independent client: matrix-js-sdk with its Rust crypto, as in Element, driven over JSON lines by tests/support/client.py.
//   stdin : {"id":1,"cmd":"login","client":"alice","args":{...},"timeout":30}
//   stdout: {"id":1,"ok":true,"result":...} | {"id":1,"ok":false,"error":"...","errcode":"...","status":403}
//           {"event":"ready",...}            one line when the process is ready
// stdout carries the protocol only; all logs go to stderr (KEYHOUSE_CLIENT_LOG=debug|info|warn|silent).
import { log } from "./closed.mjs";
import readline from "node:readline";
import { accounts } from "./accounts.mjs";
import { devices } from "./devices.mjs";
import { receiving } from "./receiving.mjs";
import { rooms } from "./rooms.mjs";
import { sending } from "./sending.mjs";
import { SDK_VERSION, stopAll } from "./session.mjs";

const commands = { ...accounts, ...devices, ...rooms, ...sending, ...receiving };

const out = (o) => process.stdout.write(JSON.stringify(o) + "\n");
let pendingCmds = 0, closing = false;
async function handle(line) {
    let m;
    try { m = JSON.parse(line); } catch { return out({ id: null, ok: false, error: "not a JSON object line" }); }
    const id = m.id ?? null, fn = Object.hasOwn(commands, m.cmd ?? "") ? commands[m.cmd] : null;
    if (!fn) return out({ id, ok: false, error: `unknown command '${m.cmd}'`, known: Object.keys(commands) });
    const t = Math.max(1, Number(m.timeout ?? 30)) * 1000;
    let timer;
    pendingCmds++;
    try {
        const result = await Promise.race([
            fn(m.client ?? "main", m.args ?? {}, t),
            new Promise((_, rej) => { timer = setTimeout(() => rej(new Error(`command '${m.cmd}' timed out after ${t}ms`)), t + 1000); }),
        ]);
        out({ id, ok: true, result: result ?? null });
    } catch (e) {
        log("debug", e?.stack);
        out({ id, ok: false, error: String(e?.message ?? e), errcode: e?.errcode ?? null, status: e?.httpStatus ?? null, kind: e?.name ?? null });
    } finally { clearTimeout(timer); pendingCmds--; if (closing && !pendingCmds) bye(); }
}
function bye() { stopAll(); process.exit(0); }
const rl = readline.createInterface({ input: process.stdin });
rl.on("line", (l) => { if (l.trim()) void handle(l); });
rl.on("close", () => { closing = true; if (!pendingCmds) bye(); setTimeout(bye, 5000); });
process.on("SIGTERM", bye);
out({ event: "ready", sdk: SDK_VERSION, node: process.version, pid: process.pid });
