"""The place as everybody finds it: a server with four members, another one without the bot, and a word of welcome."""

import base64
import binascii
from collections.abc import Callable

from playground.model import (
    ALL_PERMISSIONS,
    EVERYONE_MAY,
    MODERATORS_MAY,
    Channel,
    ChannelKind,
    Event,
    Guild,
    Message,
    MessageBody,
    MessageKind,
    Role,
    User,
    Version,
)
from playground.state import State

# Fixed ids, so that a settings file can name the server. They look like Discord's of 2023.
APPLICATION_ID = 1_100_000_000_000_000_001
GUILD_ID = 1_100_000_000_000_000_100
GUIDE_ID = 1_100_000_000_000_000_102
ROLE_IDS = {"Supporters": GUILD_ID + 3, "Moderators": GUILD_ID + 4, "Admin": GUILD_ID + 1}
MEMBER_IDS = {"Ada": GUILD_ID + 11, "Ben": GUILD_ID + 12, "Cleo": GUILD_ID + 13, "Dora": GUILD_ID + 14}
CHANNEL_IDS = {
    "welcome": GUILD_ID + 21,
    "pictures": GUILD_ID + 22,
    "lounge": GUILD_ID + 23,
    "after-dark": GUILD_ID + 24,
}
_AGE_RESTRICTED = frozenset({"after-dark"})
_DIRECT_OFFSET = 20
# Where the bot is not, and can only be brought along by somebody who has installed it for themselves.
OTHER_GUILD_ID = GUILD_ID + 50
OTHER_CHANNEL_ID = GUILD_ID + 51
PRIVATE_ID = GUILD_ID + 52

_MAY = {"Supporters": EVERYONE_MAY, "Moderators": MODERATORS_MAY, "Admin": ALL_PERMISSIONS}
_COLORS = {"Supporters": 0xC2508A, "Moderators": 0x1F8F76, "Admin": 0xB8631D}
_GIVEN = {"Ada": "Admin", "Cleo": "Supporters", "Dora": "Moderators"}

_TOPICS = {
    "welcome": "Start here",
    "pictures": "Make pictures and show them",
    "lounge": "Everything else",
    "after-dark": "For grown-ups",
}

_WELCOME = f"""# Welcome to the playground
This is a small Discord on your own machine. Nothing here leaves it.

**Try the bot**
1. Go to <#{CHANNEL_IDS["pictures"]}> and type `/`.
2. Pick a command, fill in what it asks for, press **Enter**.
3. No photo at hand? Where a photo is asked for, choose **Use the sample face**.

**Be somebody else**
You act for Ada, who runs this server, for Dora, who moderates it, for Cleo, who supports it, and for Ben, a member \
like any other. Switch at the bottom of the channel list: what only one of them may see stays with that one.
-# A tool for development. Everything is kept in memory and gone when you stop it."""


def default_token() -> str:
    """The token that the bot of the playground logs in with. It opens nothing else, and need not be secret."""
    first = base64.b64encode(str(APPLICATION_ID).encode()).decode().rstrip("=")
    return f"{first}.local0.playground-token-not-a-secret"


def application_id_of(token: str) -> int:
    """The application id in a token's first part, as Discord puts it there; ours when there is none."""
    first = token.partition(".")[0]
    try:
        return int(base64.b64decode(first + "=" * (-len(first) % 4), validate=True))
    except (binascii.Error, ValueError):
        return APPLICATION_ID


def build_world(
    *,
    token: str,
    now: Callable[[], float],
    new_id: Callable[[], int],
    new_token: Callable[[], str],
    publish: Callable[[Event], None],
) -> State:
    """A fresh world for the bot with this token."""
    state = State(
        now=now,
        new_id=new_id,
        new_token=new_token,
        publish=publish,
        bot=User(id=application_id_of(token), username="facelock", display_name="Facelock", bot=True),
        guide=User(id=GUIDE_ID, username="guide", display_name="Guide", system=True),
        guild=Guild(
            id=GUILD_ID,
            name="Playground",
            owner_id=MEMBER_IDS["Ada"],
            created_at=now(),
            roles={role.id: role for role in _roles()},
        ),
        other_guild=_other_guild(now()),
        members={member.id: member for member in _members()},
        channels={channel.id: channel for channel in _channels()},
    )
    _welcome(state)
    return state


def _roles() -> list[Role]:
    everyone = Role(id=GUILD_ID, name="@everyone", permissions=EVERYONE_MAY, position=0)
    given = [
        Role(id=role_id, name=name, permissions=_MAY[name], position=position, color=_COLORS[name])
        for position, (name, role_id) in enumerate(ROLE_IDS.items(), start=1)
    ]
    return [everyone, *given]


def _members() -> list[User]:
    return [
        User(
            id=member_id,
            username=name.lower(),
            display_name=name,
            roles={ROLE_IDS[_GIVEN[name]]} if name in _GIVEN else set(),
            has_app=name == "Ben",
        )
        for name, member_id in MEMBER_IDS.items()
    ]


def _channels() -> list[Channel]:
    rooms = [
        Channel(
            id=channel_id,
            kind=ChannelKind.TEXT,
            name=name,
            topic=_TOPICS[name],
            position=position,
            guild_id=GUILD_ID,
            nsfw=name in _AGE_RESTRICTED,
        )
        for position, (name, channel_id) in enumerate(CHANNEL_IDS.items())
    ]
    directs = [
        Channel(id=member_id + _DIRECT_OFFSET, kind=ChannelKind.DIRECT, name="dm", recipient_id=member_id)
        for member_id in MEMBER_IDS.values()
    ]
    books = Channel(
        id=OTHER_CHANNEL_ID,
        kind=ChannelKind.TEXT,
        name="books",
        topic="A server without the bot",
        guild_id=OTHER_GUILD_ID,
    )
    people = frozenset({MEMBER_IDS["Ben"], MEMBER_IDS["Cleo"]})
    private = Channel(id=PRIVATE_ID, kind=ChannelKind.DIRECT, name="ben-cleo", people=people)
    return [*rooms, *directs, books, private]


def _other_guild(now_s: float) -> Guild:
    everyone = Role(id=OTHER_GUILD_ID, name="@everyone", permissions=EVERYONE_MAY, position=0)
    return Guild(
        id=OTHER_GUILD_ID,
        name="Book club",
        owner_id=MEMBER_IDS["Cleo"],
        created_at=now_s,
        roles={everyone.id: everyone},
    )


def _welcome(state: State) -> None:
    body = MessageBody(content=_WELCOME)
    message = Message(
        id=state.new_id(),
        channel_id=CHANNEL_IDS["welcome"],
        author_id=state.guide.id,
        kind=MessageKind.DEFAULT,
        created_at=state.now(),
        body=body,
        versions=[Version(at=state.now(), body=body)],
    )
    state.messages[message.id] = message
