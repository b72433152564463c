// Commands: rooms and who is in them.
import { get, need } from "./session.mjs";

export const rooms = {
    async create_room(n, a) {
        const h = get(n), enc = a.encrypted !== false;
        const initial_state = [...(a.initial_state ?? [])];
        if (enc) initial_state.push({ type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2", ...(a.encryption ?? {}) } });
        if (a.history_visibility) initial_state.push({ type: "m.room.history_visibility", state_key: "", content: { history_visibility: a.history_visibility } });
        if (a.join_rule) initial_state.push({ type: "m.room.join_rules", state_key: "", content: { join_rule: a.join_rule } });
        const r = await h.c.createRoom({ name: a.name, topic: a.topic, preset: a.preset ?? "private_chat", invite: a.invite, is_direct: a.is_direct, initial_state, room_version: a.room_version, room_alias_name: a.alias,
            creation_content: a.creation_content, power_level_content_override: a.power_levels, visibility: a.visibility });
        await h.until(() => h.c.getRoom(r.room_id), 15000, `room ${r.room_id} to sync`);
        if (enc) await h.until(() => h.crypto.isEncryptionEnabledInRoom(r.room_id), 15000, "encryption to be enabled");
        return { room: r.room_id };
    },
    async join(n, a, t) {
        need(a, "room"); const h = get(n);
        const r = await h.c.joinRoom(a.room, { viaServers: a.via });
        await h.until(() => h.c.getRoom(r.roomId)?.getMyMembership() === "join", t, `join of ${r.roomId} to sync`);
        return { room: r.roomId };
    },
    async knock(n, a) { need(a, "room"); const r = await get(n).c.knockRoom(a.room, { reason: a.reason }); return { room: r.room_id }; },
    async leave(n, a) { need(a, "room"); await get(n).c.leave(a.room); return {}; },
    async forget(n, a) { need(a, "room"); await get(n).c.forget(a.room); return {}; },
    async invite(n, a) { need(a, "room", "user"); await get(n).c.invite(a.room, a.user, { reason: a.reason, shareEncryptedHistory: a.share_history !== false }); return {}; },
    async kick(n, a) { need(a, "room", "user"); await get(n).c.kick(a.room, a.user, a.reason); return {}; },
    async ban(n, a) { need(a, "room", "user"); await get(n).c.ban(a.room, a.user, a.reason); return {}; },
    async unban(n, a) { need(a, "room", "user"); await get(n).c.unban(a.room, a.user); return {}; },
    async members(n, a) {
        need(a, "room"); const r = get(n).room(a.room); await r.loadMembersIfNeeded();
        return r.getMembers().filter((m) => !a.membership || m.membership === a.membership).map((m) => ({ user: m.userId, membership: m.membership, name: m.rawDisplayName ?? null, power: Number.isFinite(m.powerLevel) ? m.powerLevel : "creator" }));
    },
    async state(n, a) {
        need(a, "room"); const h = get(n);
        if (a.type) { try { return { content: await h.c.getStateEvent(a.room, a.type, a.key ?? "") }; } catch (e) { if (e.errcode === "M_NOT_FOUND") return { content: null }; throw e; } }
        return { events: await h.c.roomState(a.room) };
    },
    async set_state(n, a) { need(a, "room", "type", "content"); const r = await get(n).c.sendStateEvent(a.room, a.type, a.content, a.key ?? ""); return { event_id: r.event_id }; },
    rooms: async (n) => get(n).c.getRooms().map((r) => ({ room: r.roomId, name: r.name, membership: r.getMyMembership(), encrypted: r.hasEncryptionStateEvent() })),
    async wait_member(n, a, t) {
        need(a, "room", "user"); const h = get(n), want = a.membership ?? "join";
        await h.until(() => (h.c.getRoom(a.room)?.getMember(a.user)?.membership ?? "none") === want, t, `${a.user} to be '${want}' in ${a.room} (now '${h.c.getRoom(a.room)?.getMember(a.user)?.membership ?? "none"}')`);
        return {};
    },
    async wait_room(n, a, t) { // until this client is joined to a room of this name
        need(a, "name");
        const h = get(n), find = () => h.c.getRooms().find((r) => r.getMyMembership() === "join" && r.name === a.name);
        const room = await h.until(find, t, `to be in a room named ${a.name}`);
        return { room: room.roomId };
    },
    async wait_invite(n, a, t) {
        const h = get(n); let found;
        await h.until(() => (found = h.c.getRooms().find((r) => r.getMyMembership() === "invite" && (!a.room || r.roomId === a.room) &&
            (!a.from || r.getMember(h.c.getUserId())?.events?.member?.getSender() === a.from))), t, `an invite${a.from ? " from " + a.from : ""}`);
        return { room: found.roomId, name: found.name, from: found.getMember(h.c.getUserId())?.events?.member?.getSender() ?? null };
    },
};
