"""Whatever Synapse lets a client write, somebody has thought about."""

import pytest
from synapse.config import ConfigError

from synapse_module.gate.servlets import REFUSED, require_servlets
from tests.synapse.servlets import census

CHANGED_BY_THE_GATE = """
    POST auth.AuthRestServlet              PUT devices.DehydratedDeviceV2Servlet  PUT devices.DeviceRestServlet
    POST login.LoginRestServlet            POST pusher.PushersSetRestServlet      POST register.RegisterRestServlet
    PUT room.RoomSendEventRestServlet      POST room.RoomSendEventRestServlet     PUT room.RoomStateEventRestServlet
    PUT sendtodevice.SendToDeviceRestServlet
    PUT upload_resource.AsyncUploadServlet POST upload_resource.UploadServlet
"""

DECIDED_BY_CALLBACKS = """
    PUT directory.ClientAppserviceDirectoryListServer     DELETE directory.ClientAppserviceDirectoryListServer
    PUT directory.ClientDirectoryListServer               POST room_upgrade_rest_servlet.RoomUpgradeRestServlet
    PUT directory.ClientDirectoryServer                   DELETE directory.ClientDirectoryServer
    POST knock.KnockRoomAliasServlet                      PUT room.JoinRoomAliasServlet  POST room.JoinRoomAliasServlet
    PUT room.RoomCreateRestServlet                        POST room.RoomCreateRestServlet
    PUT room.RoomMembershipRestServlet                    POST room.RoomMembershipRestServlet
    PUT room.RoomRedactEventRestServlet                   POST room.RoomRedactEventRestServlet
"""

SEEN_BY_THE_PERSON_OR_THE_ROOM_ALONE = """
    PUT account_data.AccountDataServlet                   DELETE account_data.UnstableAccountDataServlet
    PUT account_data.RoomAccountDataServlet               DELETE account_data.UnstableRoomAccountDataServlet
    POST account.DeactivateAccountRestServlet             POST account.PasswordRestServlet
    DELETE devices.DehydratedDeviceV2Servlet              POST devices.DehydratedDeviceEventsServlet
    DELETE devices.DeviceRestServlet                      POST devices.DeleteDevicesRestServlet
    POST filter.CreateFilterRestServlet                   POST create_resource.CreateResource
    POST keys.KeyQueryServlet         POST keys.KeyUploadServlet          POST keys.OneTimeKeyServlet
    POST keys.SignaturesUploadServlet POST keys.SigningKeyUploadServlet   POST keys.UnstableOneTimeKeyServlet
    POST login.RefreshTokenServlet    POST tokenrefresh.TokenRefreshRestServlet
    POST login_token_request.LoginTokenRequestServlet
    POST logout.LogoutAllRestServlet  POST logout.LogoutRestServlet
    PUT push_rule.PushRuleRestServlet DELETE push_rule.PushRuleRestServlet
    POST read_marker.ReadMarkerRestServlet                POST receipts.ReceiptRestServlet
    POST reporting.ReportEventRestServlet POST reporting.ReportRoomRestServlet POST reporting.ReportUserRestServlet
    PUT room.RoomForgetRestServlet    POST room.RoomForgetRestServlet     PUT room.RoomTypingRestServlet
    POST room_keys.RoomKeysNewVersionServlet              POST sync.SlidingSyncRestServlet
    PUT room_keys.RoomKeysServlet                         DELETE room_keys.RoomKeysServlet
    PUT room_keys.RoomKeysVersionServlet                  DELETE room_keys.RoomKeysVersionServlet
    PUT tags.TagServlet               DELETE tags.TagServlet
    PUT thread_subscriptions.ThreadSubscriptionsRestServlet
    DELETE thread_subscriptions.ThreadSubscriptionsRestServlet
"""

SWITCHED_OFF_BY_THE_SETTINGS = """
    PUT presence.PresenceStatusRestServlet                POST room.SearchRestServlet
    POST room.PublicRoomListRestServlet                   POST account.AccountStatusRestServlet
    POST account_validity.AccountValiditySendMailServlet  POST appservice_ping.AppservicePingRestServlet
    POST appservice_federation_proxy.AppserviceFederationProxyRestServlet
    POST register.RegisterAppServiceOnlyRestServlet
    POST rendezvous.MSC4108DelegationRendezvousServlet    POST rendezvous.MSC4108RendezvousServlet
    POST rendezvous.MSC4388CreateRendezvousServlet        PUT rendezvous.MSC4388UpdateRendezvousServlet
    DELETE rendezvous.MSC4388UpdateRendezvousServlet
"""


def names_in(*tables: str) -> list[str]:
    words = " ".join(tables).split()
    return [" ".join(pair) for pair in zip(words[::2], words[1::2], strict=True)]


def test_every_request_by_which_a_client_can_write_to_synapse_has_its_place_in_a_table() -> None:
    writing = {name for name in census() if not name.startswith("GET ")}

    placed = names_in(
        CHANGED_BY_THE_GATE,
        DECIDED_BY_CALLBACKS,
        SEEN_BY_THE_PERSON_OR_THE_ROOM_ALONE,
        SWITCHED_OFF_BY_THE_SETTINGS,
    )
    refused = [name for name in REFUSED if not name.startswith("GET ")]

    assert sorted([*placed, *refused]) == sorted(writing)


@pytest.mark.parametrize(
    "moved", ["PUT profile.MovedServlet", "PUT moved.ProfileFieldRestServlet", "POST profile.ProfileFieldRestServlet"]
)
def test_beside_a_synapse_that_has_moved_a_servlet_the_gate_does_not_stand(moved: str) -> None:
    with pytest.raises(ConfigError, match="make setup"):
        require_servlets([*REFUSED, moved])

    require_servlets(REFUSED)
