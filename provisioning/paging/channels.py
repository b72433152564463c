"""The pager of a house, as its pager.yaml says."""

from keyhouse.settings.house import HouseSettings
from keyhouse.settings.pager import ChannelSettings, PagerSettings
from provisioning.directory import HouseDirectory
from provisioning.paging.mail import MailChannel
from provisioning.paging.pager import Channel, Pager
from provisioning.paging.webhook import WebhookChannel
from provisioning.state import state_file

NOBODY = "nobody is told outside of Matrix when the house is unwell: pager.yaml names no channel"
NO_DEAD_MAN = "a dead machine tells nobody: pager.yaml names no dead_man"


def make_pager(house: HouseSettings, settings: PagerSettings, directory: HouseDirectory) -> Pager:
    """Make the pager of this house; one without channels tells nobody."""
    run = state_file(directory).parent
    return Pager([_channel(each) for each in settings.channels], house.server_name, run)


def _channel(settings: ChannelSettings) -> Channel:
    if settings.webhook is not None:
        return WebhookChannel(settings.name, settings.webhook)
    assert settings.mail is not None, "the settings demand one of the two"
    return MailChannel(settings.name, settings.mail)
