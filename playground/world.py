"""The place as everybody finds it: one server with three members and three channels, and a word of welcome."""

import base64
import binascii
from collections.abc import Callable

from playground.model import (
    ADMIN_MAY,
    EVERYONE_MAY,
    Channel,
    ChannelKind,
    Event,
    Guild,
    Message,
    MessageBody,
    MessageKind,
    User,
    Version,
)
from playground.state import State

# Fixed ids, so that a settings file can name the server. They look like Discord's of 2023.
APPLICATION_ID = 1_100_000_000_000_000_001
GUILD_ID = 1_100_000_000_000_000_100
ADMIN_ROLE_ID = 1_100_000_000_000_000_101
GUIDE_ID = 1_100_000_000_000_000_102
MEMBER_IDS = {"Ada": GUILD_ID + 11, "Ben": GUILD_ID + 12, "Cleo": GUILD_ID + 13}
CHANNEL_IDS = {"welcome": GUILD_ID + 21, "pictures": GUILD_ID + 22, "lounge": GUILD_ID + 23}
_DIRECT_OFFSET = 20

_TOPICS = {
    "welcome": "Start here",
    "pictures": "Make pictures and show them",
    "lounge": "Everything else",
}

_WELCOME = f"""# Welcome to the playground
This is a small Discord on your own machine. Nothing here leaves it.

**Try the bot**
1. Go to <#{CHANNEL_IDS["pictures"]}> and type `/`.
2. Pick a command, fill in what it asks for, press **Enter**.
3. No photo at hand? Where a photo is asked for, choose **Use the sample face**.

**Be somebody else**
You act for Ada, who runs this server, and for Ben and Cleo, who are members. Switch at the bottom of the \
channel list: what only one of them may see stays with that one.
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
            admin_role_id=ADMIN_ROLE_ID,
            created_at=now(),
        ),
        members={member.id: member for member in _members()},
        channels={channel.id: channel for channel in _channels()},
    )
    _welcome(state)
    return state


def _members() -> list[User]:
    return [
        User(
            id=member_id,
            username=name.lower(),
            display_name=name,
            permissions=ADMIN_MAY if name == "Ada" else EVERYONE_MAY,
        )
        for name, member_id in MEMBER_IDS.items()
    ]


def _channels() -> list[Channel]:
    rooms = [
        Channel(id=channel_id, kind=ChannelKind.TEXT, name=name, topic=_TOPICS[name], position=position)
        for position, (name, channel_id) in enumerate(CHANNEL_IDS.items())
    ]
    directs = [
        Channel(id=member_id + _DIRECT_OFFSET, kind=ChannelKind.DIRECT, name="dm", recipient_id=member_id)
        for member_id in MEMBER_IDS.values()
    ]
    return rooms + directs


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
