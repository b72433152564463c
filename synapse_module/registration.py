"""From a good code to an account with the reserved pseudonym, and from the account to a person with keys."""

import logging
from datetime import UTC, datetime

from synapse.api.constants import LoginType
from synapse.module_api import JsonDict, ModuleApi
from synapse.spam_checker_api import RegistrationBehaviour

from keyhouse.core.ids import ReferralId, UserId, localpart
from keyhouse.core.ports import Transaction
from keyhouse.core.referrals import Referral
from keyhouse.core.verdict import Reason, Refused, Verdict
from keyhouse.core.workflows.registration import may_register, redeem
from keyhouse.storage.errors import StoreFault
from synapse_module.enduring import until_done
from synapse_module.refusals import raise_if_refused, refusal
from synapse_module.store_threads import StoreThreads

logger = logging.getLogger(__name__)

# Synapse turns every fault of the naming step into "Internal Server Error". A name that is always refused
# one step later lets us say what is the matter.
NAMELESS = "store-away"


class Registration:
    """Synapse's questions about new accounts, and what follows from one."""

    def __init__(self, api: ModuleApi, store: StoreThreads) -> None:
        self._api = api
        self._store = store

    def register(self) -> None:
        """Have Synapse ask; and look once for accounts that were made while the store was away."""
        self._api.register_password_auth_provider_callbacks(get_username_for_registration=self.reserved_name)
        self._api.register_spam_checker_callbacks(check_registration_for_spam=self.may_register)
        self._api.register_account_validity_callbacks(
            on_user_registration=self.redeem_soon, on_user_login=self.on_login
        )
        if self._api.should_run_background_tasks():
            self._api.delayed_background_call(
                0, until_done, self._api, self.redeem_left_over, desc="keyhouse_left_over"
            )

    async def reserved_name(self, uia_results: JsonDict, params: JsonDict) -> str:
        """Name the account by its referral; what the person typed is not looked at.

        The display name needs no answer of ours: Synapse takes the localpart where nobody gives one.
        """
        referral_id = ReferralId(str(uia_results.get(LoginType.REGISTRATION_TOKEN)))
        try:
            referral = await self._store.read(lambda tx: tx.referrals.get(referral_id))
        except StoreFault:
            return NAMELESS
        return referral.pseudonym if referral else NAMELESS

    async def may_register(
        self,
        email_threepid: JsonDict | None,
        username: str | None,
        request_info: object,
        auth_provider_id: str | None = None,
    ) -> RegistrationBehaviour:
        """Let an account be made whose name a good referral or the house has reserved; refuse all others."""
        if username == NAMELESS:
            raise refusal(Reason.STORE_AWAY)
        raise_if_refused(await self._decide(username or ""))
        return RegistrationBehaviour.ALLOW

    async def _decide(self, name: str) -> Verdict:
        now = datetime.now(UTC)
        user_id = UserId(self._api.get_qualified_user_id(name))
        try:
            verdict, waits = await self._store.read(lambda tx: (may_register(tx, name, now), _waits(tx, user_id)))
        except StoreFault:
            return Refused(Reason.STORE_AWAY)
        # Where the account was made a moment ago, Synapse's own words would be about a name that nobody chose.
        return Refused(Reason.CODE_USED) if waits and await self._api.check_user_exists(user_id) else verdict

    async def on_login(self, user_id: str, auth_provider_type: str | None, auth_provider_id: str | None) -> None:
        """Give somebody their keys who logs in and has none, because the store was away when the account was made."""
        await self.redeem_soon(user_id)

    async def redeem_soon(self, user_id: str) -> None:
        """Redeem the referral of a new account before the client is answered, or as soon as the store is back.

        Never raises: the account exists by now, and a refusal would hide its name from the person.
        """
        try:
            await self._redeem(UserId(user_id))
        except StoreFault as fault:
            logger.warning("a redemption waits: %s", type(fault).__name__)
            self._api.run_as_background_process(
                "keyhouse_redemption", until_done, self._api, lambda: self._redeem(UserId(user_id))
            )

    async def redeem_left_over(self) -> None:
        """Redeem the referrals whose accounts were made, but whose redemption was cut off. Raises StoreAway."""
        names = await self._store.read(_unredeemed_names)
        for name in names:
            await self._redeem(UserId(self._api.get_qualified_user_id(name)))

    async def _redeem(self, user_id: UserId) -> None:
        if not await self._store.read(lambda tx: _waits(tx, user_id)):
            return
        account = await self._api.get_userinfo_by_id(user_id)
        if account is None:
            return
        # The moment of the account, not of this redemption: a code that runs out while the store is away was good.
        made_at = datetime.fromtimestamp(account.creation_ts, UTC)
        done = await self._store.write(lambda tx: redeem(tx, user_id, made_at))
        logger.info("redemption: %s", done.reason.value if isinstance(done, Refused) else "done")


def _waits(tx: Transaction, user_id: UserId) -> bool:
    referral = tx.referrals.by_pseudonym(localpart(user_id))
    return referral is not None and _is_unredeemed(referral)


def _unredeemed_names(tx: Transaction) -> list[str]:
    return [referral.pseudonym for referral in tx.referrals.all() if _is_unredeemed(referral)]


def _is_unredeemed(referral: Referral) -> bool:
    return referral.redeemed_at is None and referral.revoked_at is None
