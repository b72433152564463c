// Commands: signing, trust, devices and keys.
import { http } from "./homeserver.mjs";
import { get, need } from "./session.mjs";

export const devices = {
    bootstrap_cross_signing: (n, a) => get(n).bootstrapCrossSigning(a),
    async bootstrap_recovery(n) { // secret storage + key backup, as Element's "set up recovery"
        const h = get(n), rk = await h.crypto.createRecoveryKeyFromPassphrase();
        h.ssssKey = rk.privateKey;
        await h.crypto.bootstrapSecretStorage({ createSecretStorageKey: async () => rk, setupNewSecretStorage: true, setupNewKeyBackup: true });
        return { recovery_key: rk.encodedPrivateKey, backup: await h.crypto.getActiveSessionBackupVersion() };
    },
    async restore_backup(n) { const h = get(n); await h.crypto.loadSessionBackupPrivateKeyFromSecretStorage(); await h.crypto.checkKeyBackupAndEnable(); const r = await h.crypto.restoreKeyBackup(); return { imported: r.imported, total: r.total }; },
    strict: async (n, a) => get(n).setMode(a.mode ?? (a.on === false ? "all" : "strict")),
    async trust(n, a) {
        need(a, "user"); const h = get(n), k = h.crypto;
        if (a.device) {
            await k.getUserDeviceInfo([a.user], true);
            const s = await k.getDeviceVerificationStatus(a.user, a.device);
            return s ? { known: true, signed_by_owner: s.signedByOwner, cross_signing_verified: s.crossSigningVerified, locally_verified: s.localVerified, tofu: s.tofu, verified: s.isVerified() } : { known: false };
        }
        const u = await k.getUserVerificationStatus(a.user), ck = await k.getUserCrossSigningKeys(a.user);
        return { known: u.known, verified: u.isVerified(), was_verified: u.wasCrossSigningVerified(), needs_user_approval: u.needsUserApproval, has_cross_signing: await k.userHasCrossSigningKeys(a.user, true),
            master_key: ck?.master_key ? Object.values(ck.master_key.keys)[0] : null };
    },
    async devices(n, a) {
        need(a, "user"); const h = get(n), m = await h.crypto.getUserDeviceInfo([a.user], a.download !== false), out = [];
        for (const d of (m.get(a.user) ?? new Map()).values()) out.push({ device_id: d.deviceId, name: d.displayName ?? null, ed25519: d.getFingerprint() ?? null, curve25519: d.getIdentityKey() ?? null, ...(await devices.trust(n, { user: a.user, device: d.deviceId })) });
        return out;
    },
    async wait_device(n, a, t) { // a device is announced before its signature is
        need(a, "user", "device"); const h = get(n); let seen;
        const ready = async () => { seen = await devices.trust(n, a); return seen.known && (!a.signed || seen.signed_by_owner); };
        await h.until(ready, t, `device ${a.device} of ${a.user} to be ${a.signed ? "signed" : "known"}`);
        return seen;
    },
    async lose_key_questions(n) { get(n).keysUnasked = true; return {}; },
    async pin_identity(n, a) { need(a, "user"); await get(n).crypto.pinCurrentUserIdentity(a.user); return {}; },
    async withdraw_verification(n, a) { need(a, "user"); await get(n).crypto.withdrawVerificationRequirement(a.user); return {}; },
    async set_device_verified(n, a) { need(a, "user", "device"); await get(n).crypto.setDeviceVerified(a.user, a.device, a.verified !== false); return {}; },
    async share_history(n, a) { need(a, "room", "user"); await get(n).crypto.shareRoomHistoryWithUser(a.room, a.user); return {}; },
    async discard_session(n, a) { need(a, "room"); await get(n).crypto.forceDiscardSession(a.room); return {}; },
    async export_keys(n) { return { keys: JSON.parse(await get(n).crypto.exportRoomKeysAsJson()) }; },
    async import_keys(n, a) { await get(n).crypto.importRoomKeysAsJson(JSON.stringify(a.keys)); return {}; },
    async to_device(n, a) { // raw to-device send (for negative tests)
        need(a, "type", "user", "device", "content");
        await http(get(n).c.baseUrl, "PUT", `/_matrix/client/v3/sendToDevice/${encodeURIComponent(a.type)}/t${Date.now()}${Math.random()}`, { messages: { [a.user]: { [a.device]: a.content } } }, get(n).c.getAccessToken());
        return {};
    },
    async to_device_encrypted(n, a) { // Olm-encrypted to-device (for negative tests)
        need(a, "type", "user", "device", "content"); const h = get(n);
        await h.crypto.getUserDeviceInfo([a.user], true);
        const b = await h.crypto.encryptToDeviceMessages(a.type, [{ userId: a.user, deviceId: a.device }], a.content);
        if (!b.batch.length) throw new Error("could not encrypt to that device (no Olm session or excluded)");
        await h.c.queueToDevice(b);
        return { sent: b.batch.length };
    },
    async to_device_log(n) { return get(n).toDevice; },
};
