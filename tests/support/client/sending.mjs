// Commands: everything that a person writes.
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { b64u, decryptAttachment, encryptAttachment } from "./attachments.mjs";
import { get, need } from "./session.mjs";

async function send(h, room, type, content, threadId = null) {
    const r = h.room(room);
    h.lastSend = Date.now();
    const res = await h.c.sendEvent(room, threadId, type, content, `h${process.pid}_${h.name}_${Date.now()}_${h.txn++}`);
    return { event_id: res.event_id, sent_at: h.lastSend, done_at: Date.now(), encrypted: !!(await h.crypto.isEncryptionEnabledInRoom(r.roomId)) };
}

export const sending = {
    async send(n, a) {
        need(a, "room", "text"); const h = get(n);
        const c = { msgtype: a.msgtype ?? "m.text", body: a.text, ...(a.html ? { format: "org.matrix.custom.html", formatted_body: a.html } : {}), ...(a.mentions ? { "m.mentions": a.mentions } : {}), ...(a.extra ?? {}) };
        if (a.thread) c["m.relates_to"] = { rel_type: "m.thread", event_id: a.thread, is_falling_back: true, "m.in_reply_to": { event_id: a.reply_to ?? a.thread } };
        else if (a.reply_to) c["m.relates_to"] = { "m.in_reply_to": { event_id: a.reply_to } };
        return send(h, a.room, "m.room.message", c, a.thread ?? null);
    },
    async send_event(n, a) { need(a, "room", "type", "content"); return send(get(n), a.room, a.type, a.content); },
    async edit(n, a) {
        need(a, "room", "event_id", "text"); const nc = { msgtype: a.msgtype ?? "m.text", body: a.text };
        return send(get(n), a.room, "m.room.message", { ...nc, body: `* ${a.text}`, "m.new_content": nc, "m.relates_to": { rel_type: "m.replace", event_id: a.event_id } });
    },
    async react(n, a) { need(a, "room", "event_id", "key"); return send(get(n), a.room, "m.reaction", { "m.relates_to": { rel_type: "m.annotation", event_id: a.event_id, key: a.key } }); },
    async redact(n, a) { need(a, "room", "event_id"); const r = await get(n).c.redactEvent(a.room, a.event_id, undefined, a.reason ? { reason: a.reason } : undefined); return { event_id: r.event_id }; },
    async send_media(n, a) {
        need(a, "room"); const h = get(n), data = a.path ? await readFile(a.path) : Buffer.from(a.data_b64 ?? b64u(randomBytes(512)), "base64");
        const enc = await h.crypto.isEncryptionEnabledInRoom(a.room), mimetype = a.mimetype ?? "image/png";
        const e = enc ? await encryptAttachment(data) : null;
        const up = await h.c.uploadContent(e ? new Blob([e.ct]) : new Blob([data], { type: mimetype }), { type: e ? "application/octet-stream" : mimetype, includeFilename: false });
        const filename = a.filename ?? "file.png";
        const c = { msgtype: a.msgtype ?? "m.image", body: a.caption ?? filename, filename, info: { mimetype, size: data.length }, ...(a.extra ?? {}) };
        if (e) c.file = { ...e.file, url: up.content_uri }; else c.url = up.content_uri;
        if (a.voice) Object.assign(c, { msgtype: "m.audio", "org.matrix.msc3245.voice": {}, "org.matrix.msc1767.audio": { duration: 1000, waveform: [1, 2, 3] } });
        return { ...(await send(h, a.room, a.sticker ? "m.sticker" : "m.room.message", a.sticker ? { body: c.body, info: c.info, ...(e ? { file: c.file } : { url: c.url }) } : c)), mxc: up.content_uri };
    },
    async download_media(n, a) {
        need(a, "event_id"); const h = get(n), rec = h.byId.get(a.event_id);
        if (!rec) throw new Error(`event ${a.event_id} was not seen`);
        const file = rec.content.file, mxc = file?.url ?? rec.content.url;
        const url = h.c.mxcUrlToHttp(mxc, undefined, undefined, undefined, false, true, true);
        const r = await fetch(url, { headers: { Authorization: `Bearer ${h.c.getAccessToken()}` } });
        if (!r.ok) throw new Error(`download failed: ${r.status}`);
        let buf = Buffer.from(await r.arrayBuffer());
        if (file) buf = await decryptAttachment(buf, file);
        return { data_b64: buf.toString("base64"), size: buf.length };
    },
    async send_poll(n, a) {
        need(a, "room", "question", "answers"); const un = a.stable !== true, p = un ? "org.matrix.msc3381.poll" : "m.poll", tk = un ? "org.matrix.msc1767.text" : "m.text";
        const txt = (s) => (un ? { [tk]: s } : { [tk]: [{ body: s }] });
        return send(get(n), a.room, `${p}.start`, { [un ? `${p}.start` : "m.poll"]: { question: txt(a.question), kind: `${p}.disclosed`, max_selections: a.max ?? 1,
            answers: a.answers.map((s, i) => (un ? { id: `a${i}`, ...txt(s) } : { "m.id": `a${i}`, ...txt(s) })) }, ...(un ? { [tk]: `${a.question}\n${a.answers.join("\n")}` } : { [tk]: [{ body: a.question }] }) });
    },
    async vote_poll(n, a) {
        need(a, "room", "event_id", "answer"); const un = a.stable !== true, t = un ? "org.matrix.msc3381.poll.response" : "m.poll.response";
        return send(get(n), a.room, t, { "m.relates_to": { rel_type: "m.reference", event_id: a.event_id }, ...(un ? { [t]: { answers: [a.answer] } } : { "m.selections": [a.answer] }) });
    },
    async typing(n, a) { need(a, "room"); await get(n).c.sendTyping(a.room, a.on !== false, 10000); return {}; },
    async read(n, a) { need(a, "room", "event_id"); const h = get(n), rec = h.byId.get(a.event_id); if (!rec) throw new Error("event not seen"); await h.c.sendReadReceipt(rec.ev); return {}; },
    async set_display_name(n, a) { need(a, "name"); await get(n).c.setDisplayName(a.name); return {}; },
};
