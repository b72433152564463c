// Commands: accounts, sync, and raw calls.
import { createHmac, randomBytes } from "node:crypto";
import { allowHs, blocked } from "./closed.mjs";
import { http } from "./homeserver.mjs";
import { adopt, drop, get, names, need, SDK_VERSION } from "./session.mjs";

export const accounts = {
    ping: async () => ({ clients: names(), sdk: SDK_VERSION, node: process.version, blocked_network: blocked }),
    async register(name, a) {
        need(a, "hs"); const hs = allowHs(a.hs);
        const username = a.username ?? `u${randomBytes(5).toString("hex")}`, password = a.password ?? randomBytes(16).toString("hex");
        let r;
        if (a.shared_secret) { // Synapse admin registration
            const { nonce } = await http(hs, "GET", "/_synapse/admin/v1/register");
            const mac = createHmac("sha1", a.shared_secret).update([nonce, username, password, a.admin ? "admin" : "notadmin"].join("\0")).digest("hex");
            r = await http(hs, "POST", "/_synapse/admin/v1/register", { nonce, username, password, mac, admin: !!a.admin });
            r = await http(hs, "POST", "/_matrix/client/v3/login", { type: "m.login.password", identifier: { type: "m.id.user", user: username }, password, initial_device_display_name: a.device_name ?? "test client" });
        } else {
            const body = { username, password, initial_device_display_name: a.device_name ?? "test client" };
            let auth;
            for (let i = 0; i < 6; i++) {
                try { r = await http(hs, "POST", "/_matrix/client/v3/register", { ...body, ...(auth ? { auth } : {}) }); break; } catch (e) {
                    if (e.httpStatus !== 401 || !e.data?.session) throw e;
                    const doneStages = e.data.completed ?? [];
                    const can = { "m.login.registration_token": a.token && { token: a.token }, "m.login.dummy": {}, "m.login.terms": {} };
                    const flow = (e.data.flows ?? []).find((f) => f.stages.every((s) => doneStages.includes(s) || can[s]));
                    if (!flow) throw new Error(`no usable registration flow: ${JSON.stringify(e.data.flows)}; completed ${JSON.stringify(doneStages)}; ${e.data.error ?? ""}`);
                    const stage = flow.stages.find((s) => !doneStages.includes(s));
                    if (auth?.type === stage) throw Object.assign(new Error(`registration stage ${stage} was refused: ${e.data.error ?? e.data.errcode}`), { errcode: e.data.errcode, httpStatus: 401 });
                    auth = { type: stage, session: e.data.session, ...can[stage] };
                }
            }
            if (!r) throw new Error("registration did not complete");
        }
        return { ...(await adopt(name, hs, r, { ...a, password })), username, password };
    },
    async login(name, a) {
        need(a, "hs"); const hs = allowHs(a.hs);
        if (a.access_token) {
            const w = await http(hs, "GET", "/_matrix/client/v3/account/whoami", undefined, a.access_token);
            return adopt(name, hs, { user_id: w.user_id, device_id: w.device_id, access_token: a.access_token }, a);
        }
        need(a, "user", "password");
        const r = await http(hs, "POST", "/_matrix/client/v3/login", { type: "m.login.password", identifier: { type: "m.id.user", user: a.user }, password: a.password,
            ...(a.device_id ? { device_id: a.device_id } : {}), initial_device_display_name: a.device_name ?? "test client" });
        return adopt(name, hs, r, a);
    },
    whoami: (n) => get(n).whoami(),
    async logout(n) { const h = get(n); await h.c.logout(true); drop(n); return {}; },
    async stop(n) { drop(n); return {}; },
    async go_offline(n) { get(n).goOffline(); return {}; },
    async come_back(n, a, t) { await get(n).comeBack(t); return {}; },
    sync_status: async (n) => { const h = get(n); return { state: h.syncState ?? null, error: h.syncError ?? null, rooms: h.c.getRooms().length, events: h.events.length }; },
    wait_synced: async (n, a, t) => { await get(n).waitSynced(t); return {}; },
    async account_data(n, a) { need(a, "type"); if (a.content !== undefined) { await get(n).c.setAccountData(a.type, a.content); return {}; } return { content: await get(n).c.getAccountDataFromServer(a.type) }; },
    async request(n, a) { need(a, "method", "path"); return http(get(n).c.baseUrl, a.method, a.path, a.body, get(n).c.getAccessToken()); },
};
