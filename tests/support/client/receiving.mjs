// Commands: everything that arrives.
import { get, need } from "./session.mjs";

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
function matcher(a) {
    const re = a.regex ? new RegExp(a.regex, "su") : null;
    return (r) => {
        if (r.kind !== "event") return false;
        if (a.room && r.room !== a.room) return false;
        if (a.from && r.sender !== a.from) return false;
        if (a.event_id && r.event_id !== a.event_id) return false;
        const t = a.type ?? "m.room.message";
        const allowBad = a.allow_failed && r.decrypt_state === "failed";
        if (!allowBad) {
            if (t !== "*" && r.type !== t) return false;
            if (r.decrypt_state === "failed" || r.decrypt_state === "pending") return false;
        }
        if (a.msgtype && r.content?.msgtype !== a.msgtype) return false;
        if (a.state_key !== undefined && r.state_key !== a.state_key) return false;
        const body = r.content?.body ?? "";
        if (a.contains && !String(body).includes(a.contains)) return false;
        if (re && !re.test(String(body))) return false;
        if (a.relates_to && r.relates_to?.event_id !== a.relates_to && r.relates_to?.["m.in_reply_to"]?.event_id !== a.relates_to) return false;
        if (a.rel_type && r.relates_to?.rel_type !== a.rel_type) return false;
        if (a.after_seq !== undefined && r.seq <= a.after_seq) return false;
        return true;
    };
}

export const receiving = {
    async wait_message(n, a, t) {
        const h = get(n), m = matcher(a);
        const seen = () => h.events.find((r) => m(r) && (a.after_seq !== undefined || a.event_id || a.any || !r.taken));
        try {
            const r = await h.until(seen, t, `a message ${JSON.stringify(a)}`);
            r.taken = true;
            return await h.view(r);
        } catch (e) {
            const near = h.events.filter((r) => r.kind === "event" && (!a.room || r.room === a.room)).slice(-5).map((r) => ({ type: r.type, sender: r.sender, body: r.content?.body, st: r.decrypt_state, failure: r.failure }));
            throw new Error(`${e.message}; last events there: ${JSON.stringify(near)}`);
        }
    },
    async wait_decryption_failure(n, a, t) { const h = get(n); return h.view(await h.until(() => h.events.find((r) => r.decrypt_state === "failed" && (!a.room || r.room === a.room) && (!a.event_id || r.event_id === a.event_id)), t, "a decryption failure")); },
    async expect_silence(n, a) { // fails if a matching message arrives within `seconds`
        const h = get(n), m = matcher({ after_seq: h.events.length, ...a });
        await sleep((a.seconds ?? 3) * 1000);
        const r = h.events.find(m);
        if (r) throw new Error(`expected silence but saw ${r.sender}: ${JSON.stringify(r.content).slice(0, 300)}`);
        return {};
    },
    mark: async (n) => ({ seq: get(n).events.length }),
    async events(n, a) { const h = get(n), m = matcher({ type: "*", allow_failed: true, ...a }); return Promise.all(h.events.filter(m).slice(-(a.limit ?? 50)).map((r) => h.view(r))); },
    async event(n, a) { need(a, "event_id"); const h = get(n), r = h.byId.get(a.event_id); if (!r) throw new Error(`event ${a.event_id} was not seen`); h.fill(r); return h.view(r); },
    async backfill(n, a, t) {
        need(a, "room"); const h = get(n), r = h.room(a.room);
        await h.c.scrollback(r, a.limit ?? 50);
        await h.until(() => !h.events.some((e) => e.room === a.room && e.decrypt_state === "pending"), t, "old events to be decrypted");
        return { events: r.getLiveTimeline().getEvents().length };
    },
};
