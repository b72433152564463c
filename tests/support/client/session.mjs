// One logged-in device: its sync, its keys, and every event it has seen.
import { readFile } from "node:fs/promises";
import * as sdk from "matrix-js-sdk";
import * as capi from "matrix-js-sdk/lib/crypto-api/index.js";

const packageFile = new URL("./node_modules/matrix-js-sdk/package.json", import.meta.url);
export const { version: SDK_VERSION } = JSON.parse(await readFile(packageFile));
const enumName = (en, v) => (v === null || v === undefined ? null : en[v]);

export class Session {
    constructor(name) {
        this.name = name;
        this.events = [];        // every event seen, in arrival order
        this.byId = new Map();
        this.waiters = new Set();
        this.line = new AbortController(); // aborted while the device has no network
        this.keysUnasked = false; // true while no question about anybody's devices gets through
        this.txn = 0;
        this.mode = "strict";
        this.toDevice = [];
        this.cryptoLog = [];
    }
    get c() { if (!this._c) throw new Error(`client '${this.name}' is not logged in`); return this._c; }
    get crypto() { const k = this.c.getCrypto(); if (!k) throw new Error("crypto is not initialised"); return k; }
    room(id) { const r = this.c.getRoom(id); if (!r) throw new Error(`room ${id} is not known to '${this.name}' (not joined, or not yet synced)`); return r; }

    async start({ hs, user_id, device_id, access_token, password, strict = true, recovery_key, bootstrap = true, initial_sync_limit = 50, crypto = true, lazy_load = true }) {
        this.password = password;
        this._c = sdk.createClient({
            baseUrl: hs, userId: user_id, deviceId: device_id, accessToken: access_token,
            timelineSupport: true, localTimeoutMs: 30000,
            fetchFn: async (input, init = {}) => {
                if (this.keysUnasked && new URL(input).pathname.endsWith("/keys/query")) throw new TypeError("no network");
                return fetch(input, { ...init, signal: AbortSignal.any([this.line.signal, ...(init.signal ? [init.signal] : [])]) });
            },
            cryptoCallbacks: {
                getSecretStorageKey: async ({ keys }) => {
                    if (!this.ssssKey) return null;
                    return [Object.keys(keys)[0], this.ssssKey];
                },
                cacheSecretStorageKey: (_id, _info, key) => { this.ssssKey = key; },
            },
        });
        if (recovery_key) this.ssssKey = capi.decodeRecoveryKey(recovery_key);
        this._c.setMaxListeners?.(200);
        if (crypto) {
            await this._c.initRustCrypto({ useIndexedDB: false });
            this.setMode(strict ? "strict" : "all");
        }
        this.hook();
        await this._c.startClient({ initialSyncLimit: initial_sync_limit, lazyLoadMembers: lazy_load, threadSupport: true, pollTimeout: 30000 });
        await this.waitSynced(30000);
        if (crypto && bootstrap) await this.bootstrapCrossSigning({});
        return await this.whoami();
    }
    hook() {
        const c = this._c;
        c.on(sdk.ClientEvent.Event, (ev) => this.see(ev, "sync"));
        c.on(sdk.RoomEvent.Timeline, (ev, room, toStart) => this.see(ev, toStart ? "backfill" : "sync"));
        c.on(sdk.MatrixEventEvent.Decrypted, (ev) => this.see(ev, "decrypted"));
        c.on(sdk.RoomEvent.MyMembership, (room, membership, prev) => this.push({ kind: "membership", room: room.roomId, membership, prev, name: room.name,
            sender: room.getMember(c.getUserId())?.events?.member?.getSender() ?? null }));
        c.on(sdk.ClientEvent.Sync, (state, prev, data) => { this.syncState = state; this.syncError = data?.error ? String(data.error.message ?? data.error) : null; this.kick(); });
        c.on(sdk.ClientEvent.ReceivedToDeviceMessage ?? "receivedToDeviceMessage", (p) => {
            this.toDevice.push({ type: p?.message?.type, sender: p?.message?.sender, encrypted: !!p?.encryptionInfo, ts: Date.now() });
        });
        c.on("crypto.keysChanged", () => this.cryptoLog.push({ type: "keysChanged", ts: Date.now() }));
    }
    push(rec) { rec.seq = this.events.length + 1; rec.received_at = Date.now(); this.events.push(rec); this.kick(); return rec; }
    kick() { for (const w of [...this.waiters]) w(); }
    see(ev, how) {
        const id = ev.getId();
        if (!id || !ev.getRoomId() || ev.status) return; // local echo is not evidence
        let rec = this.byId.get(id);
        if (!rec) {
            rec = this.push({ kind: "event", event_id: id });
            this.byId.set(id, rec);
            rec.ev = ev;
            rec.how = how;
        } else if (how === "decrypted") { rec.ev = ev; }
        this.fill(rec);
        this.kick();
    }
    fill(rec) {
        const ev = rec.ev;
        const failed = ev.isDecryptionFailure();
        const pending = ev.isEncrypted() && !failed && ev.getType() === "m.room.encrypted";
        const first = !rec.decrypted_at && ev.isEncrypted() && !failed && !pending;
        Object.assign(rec, {
            room: ev.getRoomId(), sender: ev.getSender(), type: ev.getType(), state_key: ev.getStateKey() ?? null,
            ts: ev.getTs(), content: ev.getContent(), encrypted: ev.isEncrypted(), redacted: ev.isRedacted(),
            decrypt_state: !ev.isEncrypted() ? "plain" : failed ? "failed" : pending ? "pending" : "ok",
            failure: failed ? (ev.decryptionFailureReason ?? "UNKNOWN") : null,
            failure_body: failed ? ev.getContent()?.body : null,
            wire: ev.isEncrypted() ? { sender_key: ev.getWireContent()?.sender_key ?? null, device_id: ev.getWireContent()?.device_id ?? null, session_id: ev.getWireContent()?.session_id ?? null } : null,
            relates_to: ev.getWireContent()?.["m.relates_to"] ?? ev.getContent()?.["m.relates_to"] ?? null,
        });
        if (first) rec.decrypted_at = Date.now();
    }
    async view(rec) {
        const { ev, ...out } = rec;
        if (ev && ev.isEncrypted() && rec.decrypt_state === "ok") {
            try {
                const i = await this.crypto.getEncryptionInfoForEvent(ev);
                out.shield = i ? { colour: enumName(capi.EventShieldColour, i.shieldColour), reason: enumName(capi.EventShieldReason, i.shieldReason) } : null;
            } catch (e) { out.shield = { error: String(e.message ?? e) }; }
        }
        return out;
    }
    async until(fn, timeout, what) {
        const deadline = Date.now() + timeout;
        for (;;) {
            const v = await fn();
            if (v) return v;
            const left = deadline - Date.now();
            if (left <= 0) throw new Error(`timeout after ${timeout}ms waiting for ${what}`);
            await new Promise((res) => {
                const t = setTimeout(done, Math.min(left, 500));
                const self = this;
                function done() { clearTimeout(t); self.waiters.delete(done); res(); }
                this.waiters.add(done);
            });
        }
    }
    goOffline() { this.line.abort(new TypeError("no network")); this.syncState = "OFFLINE"; }
    async comeBack(timeout) {
        this.line = new AbortController();
        this.syncState = "OFFLINE";
        this.c.retryImmediately();
        await this.waitSynced(timeout);
    }
    waitSynced(timeout) { return this.until(() => ["PREPARED", "SYNCING"].includes(this.syncState), timeout, `initial sync (state ${this.syncState}, error ${this.syncError})`); }
    setMode(m) {
        const mode = m === "strict" ? new capi.OnlySignedDevicesIsolationMode() : new capi.AllDevicesIsolationMode(m === "all_error_on_verified");
        this.crypto.setDeviceIsolationMode(mode);
        this.mode = m;
        return { mode: m };
    }
    async whoami() {
        const k = this._c.getCrypto();
        return { user_id: this.c.getUserId(), device_id: this.c.getDeviceId(), access_token: this.c.getAccessToken(), mode: this.mode,
            crypto: k?.getVersion() ?? null, sdk: SDK_VERSION, keys: k ? await k.getOwnDeviceKeys() : null,
            cross_signing_ready: k ? await k.isCrossSigningReady() : false };
    }
    async bootstrapCrossSigning({ reset = false, password }) {
        const pw = password ?? this.password;
        const published = await this.crypto.userHasCrossSigningKeys(this.c.getUserId(), true); // also fetches our own identity
        const local = (await this.crypto.getCrossSigningStatus()).privateKeysCachedLocally;
        if (published && !local.masterKey && !this.ssssKey && !reset) {
            throw new Error("this user already has a cross-signing identity and this device lacks its keys: pass recovery_key, or bootstrap=false for an unsigned device, or reset=true for an identity reset");
        }
        await this.crypto.bootstrapCrossSigning({
            setupNewCrossSigning: reset,
            authUploadDeviceSigningKeys: async (makeRequest) => {
                try { return await makeRequest(null); } catch (e) {
                    if (e?.httpStatus !== 401 || !e?.data?.session) throw e;
                    if (!pw) throw new Error("server asks for user-interactive auth but no password is known");
                    return await makeRequest({ type: "m.login.password", identifier: { type: "m.id.user", user: this.c.getUserId() }, password: pw, session: e.data.session });
                }
            },
        });
        return { ready: await this.crypto.isCrossSigningReady(), status: await this.crypto.getCrossSigningStatus() };
    }
    stop() { if (this._c) { this._c.stopClient(); this._c = null; } }
}

const clients = new Map();
export const names = () => [...clients.keys()];
export const get = (n) => { const h = clients.get(n); if (!h) throw new Error(`no client '${n}'; login or register first`); return h; };
export const drop = (n) => { get(n).stop(); clients.delete(n); };
export const stopAll = () => { for (const h of clients.values()) h.stop(); };
export async function adopt(name, hs, r, a) {
    clients.get(name)?.stop();
    const h = new Session(name);
    clients.set(name, h);
    try { return await h.start({ ...a, hs, user_id: r.user_id, device_id: r.device_id, access_token: r.access_token }); } catch (e) { h.stop(); clients.delete(name); throw e; }
}
export const need = (a, ...ks) => { for (const k of ks) if (a[k] === undefined || a[k] === null || a[k] === "") throw new Error(`missing argument '${k}'`); };
