"""The world as Discord's JSON. Field lists: https://discord.com/developers/docs/resources."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from playground.cdn import Cdn
from playground.commands import Command, CommandKind
from playground.drafts import MAX_FILE_BYTES
from playground.errors import Json
from playground.interactions import Acknowledgement
from playground.messages import readable_by_bot
from playground.model import (
    Attachment,
    CallbackKind,
    Channel,
    ComponentKind,
    Guild,
    Interaction,
    InteractionKind,
    Message,
    MessageBody,
    Permission,
    Role,
    User,
    attachment_name,
)
from playground.state import State

_SPOILER_FLAG = 1 << 3
_MEDIA_LOADED = 2


def timestamp(seconds: float | None) -> str | None:
    """A moment in Discord's format."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


class Wire:
    """Renders the state; addresses of files are signed anew each time."""

    def __init__(self, state: State, cdn: Cdn) -> None:
        self.state = state
        self.cdn = cdn

    # ----------------------------------------------------------------------------------------- people and places

    def user(self, user: User) -> Json:
        """A user object."""
        return {
            "id": str(user.id),
            "username": user.username,
            "global_name": None if user.bot else user.display_name,
            "discriminator": "0000" if user.bot else "0",
            "avatar": None,
            "avatar_decoration_data": None,
            "banner": None,
            "accent_color": None,
            "bot": user.bot,
            "system": user.system,
            "flags": 0,
            "public_flags": 0,
            "primary_guild": None,
        }

    def me(self) -> Json:
        """The bot's own user object."""
        own = {"mfa_enabled": False, "locale": "en-US", "verified": True, "email": None, "premium_type": 0}
        return self.user(self.state.bot) | own

    def application(self) -> Json:
        """The bot's application, as its owner sees it."""
        state = self.state
        return {
            "id": str(state.bot.id),
            "name": state.bot.display_name,
            "icon": None,
            "description": "The bot of this playground.",
            "type": None,
            "summary": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "flags": 0,
            "flags_new": "0",
            "redirect_uris": [],
            "interactions_endpoint_url": None,
            "role_connections_verification_url": None,
            "owner": self.user(state.members[state.guild.owner_id]),
            "approximate_guild_count": 1,
            "approximate_user_install_count": sum(member.has_app for member in state.members.values()),
            "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0,
            "team": None,
            "eligible_oauth2_scopes": [],
            "integration_types_config": {"0": {}, "1": {}},
            "bot": self.user(state.bot),
        }

    def member(self, user: User, guild: Guild | None = None) -> Json:
        """A guild member object without its user; of the bot's server, when none is said."""
        guild = guild or self.state.guild
        return {
            "nick": None,
            "avatar": None,
            "banner": None,
            "roles": [str(role.id) for role in guild.roles_of(user)],
            "joined_at": timestamp(guild.created_at),
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "pending": False,
            "flags": 0,
            "communication_disabled_until": None,
        }

    def channel(self, channel: Channel) -> Json:
        """A channel object."""
        last = next(self.state.channel_messages(channel.id), None)
        base: Json = {
            "id": str(channel.id),
            "type": int(channel.kind),
            "flags": 0,
            "last_message_id": str(last.id) if last else None,
        }
        if channel.guild_id is None:
            people = sorted(channel.people) if channel.recipient_id is None else [channel.recipient_id]
            return base | {"recipients": [self.user(self.state.members[who]) for who in people]}
        return base | {
            "guild_id": str(channel.guild_id),
            "name": channel.name,
            "topic": channel.topic,
            "position": channel.position,
            "parent_id": None,
            "nsfw": channel.nsfw,
            "rate_limit_per_user": 0,
            "permission_overwrites": self._overwrites(channel),
        }

    def _overwrites(self, channel: Channel) -> list[Json]:
        if not channel.denied:
            return []
        return [{"id": str(self.state.bot.id), "type": 1, "allow": "0", "deny": str(int(channel.denied))}]

    def role(self, role: Role) -> Json:
        """A role object."""
        return {
            "id": str(role.id),
            "name": role.name,
            "color": role.color,
            "colors": {"primary_color": role.color, "secondary_color": None, "tertiary_color": None},
            "hoist": role.position > 0,
            "icon": None,
            "unicode_emoji": None,
            "position": role.position,
            "permissions": str(int(role.permissions)),
            "managed": False,
            "mentionable": False,
            "flags": 0,
        }

    def guild_create(self) -> Json:
        """What the gateway tells of the server to a client that may know of guilds, but not of their members."""
        state = self.state
        return {
            **self.guild(),
            "joined_at": timestamp(state.guild.created_at),
            "member_count": len(state.members) + 1,
            "channels": self.guild_channels(),
            "members": [self.member(state.bot) | {"user": self.user(state.bot)}],
        }

    def guild(self) -> Json:
        """The server by itself."""
        guild = self.state.guild
        return {
            **_PLAIN_GUILD,
            "id": str(guild.id),
            "name": guild.name,
            "owner_id": str(guild.owner_id),
            "roles": [self.role(role) for role in guild.roles.values()],
        }

    def guild_channels(self) -> list[Json]:
        """The server's channels."""
        return [
            self.channel(channel) for channel in self.state.channels.values() if channel.guild_id == self.state.guild.id
        ]

    # -------------------------------------------------------------------------------------------------- commands

    def command(self, command: Command) -> Json:
        """A registered command."""
        identity: Json = {
            "id": str(command.id),
            "application_id": str(self.state.bot.id),
            "version": str(command.version),
        }
        if command.guild_id is not None:
            identity["guild_id"] = str(command.guild_id)
        return identity | command.definition

    # -------------------------------------------------------------------------------------------------- messages

    def attachment(self, attachment: Attachment) -> Json:
        """An attachment object with a fresh address."""
        url = self.cdn.url(attachment)
        entry: Json = {
            "id": str(attachment.id),
            "filename": attachment.filename,
            "size": attachment.size,
            "url": url,
            "proxy_url": url,
            "flags": _SPOILER_FLAG if attachment.spoiler else 0,
        }
        optional: Json = {
            "title": attachment.title,
            "description": attachment.description,
            "content_type": attachment.content_type,
            "width": attachment.width,
            "height": attachment.height,
            "ephemeral": attachment.ephemeral or None,
        }
        return entry | {key: value for key, value in optional.items() if value is not None}

    def message_for_bot(self, message: Message) -> Json:
        """A message as the bot may read it: without the privileged intent, what others say is blank."""
        found = self.message(message)
        if readable_by_bot(self.state, message):
            return found
        return found | {"content": "", "embeds": [], "attachments": [], "components": []}

    def message(self, message: Message) -> Json:
        """A message object."""
        body = message.body
        found: Json = {
            "id": str(message.id),
            "channel_id": str(message.channel_id),
            "type": int(message.kind),
            "author": self.user(self._person(message.author_id)),
            "content": body.content,
            "timestamp": timestamp(message.created_at),
            "edited_timestamp": timestamp(message.edited_at),
            "flags": int(message.flags),
            "tts": False,
            "pinned": False,
            "mention_everyone": message.pinged_everyone,
            "mentions": [self.user(self.state.members[who]) for who in sorted(message.pinged_users)],
            "mention_roles": [],
            "attachments": [self.attachment(a) for a in body.listed_attachments()],
            "embeds": [self._embed(embed, body) for embed in body.embeds],
            "components": [self._component(component, body) for component in body.components],
        }
        if message.nonce is not None:
            found["nonce"] = message.nonce
        return found | self._answered(message) | self._interaction_of(message)

    def _answered(self, message: Message) -> Json:
        if message.reference is None:
            return {}
        answered = self.state.messages.get(message.reference.message_id)
        if answered is not None and (
            answered.deleted_at is not None or answered.only_for not in (None, message.only_for)
        ):
            answered = None
        reference: Json = {
            "type": 0,
            "channel_id": str(message.reference.channel_id),
            "message_id": str(message.reference.message_id),
        }
        channel = self.state.channels.get(message.reference.channel_id)
        if channel is not None and channel.guild_id is not None:
            reference["guild_id"] = str(channel.guild_id)
        # One level is enough: Discord, too, leaves out what the answered message answered.
        shown = self.message(answered) if answered else None
        if shown:
            shown.pop("referenced_message", None)
        return {"message_reference": reference, "referenced_message": shown}

    def _interaction_of(self, message: Message) -> Json:
        interaction = self.state.interactions.get(message.interaction_id or 0)
        if interaction is None:
            return {}
        metadata = self._metadata(interaction)
        bot = {"application_id": str(self.state.bot.id), "webhook_id": str(self.state.bot.id)}
        found: Json = bot | {"interaction_metadata": metadata}
        if interaction.kind is InteractionKind.COMMAND:
            # Deprecated by Discord, still sent, and the one place that names the command.
            name = {"name": interaction.command, "user": metadata["user"]}
            found["interaction"] = {"id": str(interaction.id), "type": 2, **name}
        return found

    def _metadata(self, interaction: Interaction) -> Json:
        data = interaction.data
        metadata: Json = {
            "id": str(interaction.id),
            "type": int(interaction.kind),
            "user": self.user(self.state.members[interaction.member_id]),
            "authorizing_integration_owners": dict(interaction.owners),
        }
        if interaction.kind is InteractionKind.COMPONENT:
            metadata["interacted_message_id"] = str(interaction.source_id)
        if interaction.trigger_id is not None:
            opened_by = self.state.interactions[interaction.trigger_id]
            metadata["triggering_interaction_metadata"] = self._metadata(opened_by)
        elif data.get("type") == CommandKind.MESSAGE:
            metadata["target_message_id"] = data["target_id"]
        elif data.get("type") == CommandKind.USER:
            metadata["target_user"] = self.user(self._person(int(data["target_id"])))
        return metadata

    def _component(self, component: Json, body: MessageBody) -> Json:
        found = dict(component)
        match component["type"]:
            case ComponentKind.MEDIA_GALLERY:
                found["items"] = [item | {"media": self._media(item["media"], body)} for item in component["items"]]
            case ComponentKind.THUMBNAIL:
                found["media"] = self._media(component["media"], body)
            case ComponentKind.FILE:
                found |= self._file(component["file"], body)
            case _:
                pass
        if "components" in component:
            found["components"] = [self._component(child, body) for child in component["components"]]
        if "accessory" in component:
            found["accessory"] = self._component(component["accessory"], body)
        return found

    def _media(self, media: Json, body: MessageBody) -> Json:
        name = attachment_name(media["url"])
        attachment = body.attachment(name) if name else None
        if attachment is None:
            return {"id": "0", "url": media["url"], "proxy_url": media["url"], "loading_state": _MEDIA_LOADED}
        url = self.cdn.url(attachment)
        return {
            "id": str(attachment.id),
            "attachment_id": str(attachment.id),
            "url": url,
            "proxy_url": url,
            "width": attachment.width,
            "height": attachment.height,
            "content_type": attachment.content_type,
            "flags": 0,
            "loading_state": _MEDIA_LOADED,
        }

    def _file(self, file: Json, body: MessageBody) -> Json:
        attachment = body.attachment(attachment_name(file["url"]) or "")
        named = {"name": attachment.filename, "size": attachment.size} if attachment else {"name": "", "size": 0}
        return {"file": self._media(file, body), **named}

    def _embed(self, embed: Json, body: MessageBody) -> Json:
        found = dict(embed)
        for key in ("image", "thumbnail"):
            if key in embed:
                media = self._media(embed[key], body)
                found[key] = {name: media.get(name) for name in ("url", "proxy_url", "width", "height")}
        for key in ("author", "footer"):
            name = attachment_name(embed.get(key, {}).get("icon_url") or "")
            if name and (attachment := body.attachment(name)):
                found[key] = embed[key] | {"icon_url": self.cdn.url(attachment)}
        return found

    # ---------------------------------------------------------------------------------------------- interactions

    def interaction_create(self, interaction: Interaction) -> Json:
        """What the gateway tells of a command or a press."""
        state = self.state
        channel = state.channels[interaction.channel_id]
        member = state.members[interaction.member_id]
        found: Json = {
            "version": 1,
            "id": str(interaction.id),
            "application_id": str(state.bot.id),
            "type": int(interaction.kind),
            "token": interaction.token,
            "data": self._data(interaction.data, channel, member),
            "channel_id": str(channel.id),
            "channel": self.channel(channel) | {"permissions": str(int(state.permissions(member, channel)))},
            "locale": member.locale,
            "app_permissions": str(int(self._app_permissions(channel))),
            "entitlements": [],
            "entitlement_sku_ids": [],
            "authorizing_integration_owners": dict(interaction.owners),
            "attachment_size_limit": MAX_FILE_BYTES,
            "context": int(channel.context),
        }
        if interaction.source_id is not None:
            found["message"] = self.message(state.messages[interaction.source_id])
        return found | self._who(member, channel)

    def _app_permissions(self, channel: Channel) -> Permission:
        return self.state.bot_permissions(channel) if self.state.bot_is_in(channel) else _ELSEWHERE_APPS_MAY

    def _who(self, member: User, channel: Channel) -> Json:
        guild = self.state.guild_of(channel)
        if guild is None:
            return {"user": self.user(member)}
        about: Json = {"id": str(guild.id), "locale": guild.locale, "features": []}
        may = str(int(self.state.permissions(member, channel)))
        whole = self.member(member, guild) | {"user": self.user(member), "permissions": may}
        return {"guild_id": about["id"], "guild": about, "guild_locale": guild.locale, "member": whole}

    def _data(self, data: Json, channel: Channel, member: User) -> Json:
        resolved: Mapping[str, Iterable[str]] = data.get("resolved", {})
        if not resolved:
            return data
        groups = {
            group: {key: self._resolved(group, int(key), channel, member) for key in ids}
            for group, ids in resolved.items()
        }
        return data | {"resolved": groups}

    def _resolved(self, group: str, identity: int, channel: Channel, member: User) -> Json:
        """A thing that was named: of members what they may do in the channel, of channels what `member` may there."""
        state = self.state
        match group:
            case "attachments":
                return self.attachment(state.attachments[identity])
            case "users":
                return self.user(self._person(identity))
            case "members":
                named = self._person(identity)
                return self.member(named, state.guild_of(channel)) | {
                    "permissions": str(int(state.permissions(named, channel)))
                }
            case "messages":
                return self.message(state.messages[identity])
            case "channels":
                named_channel = state.channels[identity]
                may = str(int(state.permissions(member, named_channel)))
                return self.channel(named_channel) | {"permissions": may}
            case _:
                return self.role(state.role(identity, guild=state.guild_of(channel)))

    def _person(self, identity: int) -> User:
        return self.state.user(identity) or self.state.guide

    def callback_response(self, accepted: Acknowledgement) -> Json:
        """The answer to a first answer, for clients that ask with `with_response`."""
        interaction, message = accepted.interaction, accepted.message
        about: Json = {
            "id": str(interaction.id),
            "type": int(interaction.kind),
            "channel_id": str(interaction.channel_id),
        }
        channel = self.state.channels.get(interaction.channel_id)
        if channel is not None and channel.guild_id is not None:
            about["guild_id"] = str(channel.guild_id)
        if message is not None:
            about["response_message_id"] = str(message.id)
            about["response_message_loading"] = message.is_thinking
            about["response_message_ephemeral"] = message.is_ephemeral
        if message is None or accepted.callback not in _WITH_RESOURCE:
            return {"interaction": about}
        resource: Json = {"type": int(accepted.callback), "message": self.message(message)}
        return {"interaction": about, "resource": resource}


# "message: present only if type is CHANNEL_MESSAGE_WITH_SOURCE or UPDATE_MESSAGE": interaction callback resource.
_WITH_RESOURCE = frozenset({CallbackKind.MESSAGE, CallbackKind.UPDATE_MESSAGE})

# What an app may do where it is only used: the page on interactions, `app_permissions`.
_ELSEWHERE_APPS_MAY = Permission.ATTACH_FILES | Permission.EMBED_LINKS | Permission.MENTION_EVERYONE

_PLAIN_GUILD: dict[str, Any] = {
    "icon": None,
    "splash": None,
    "discovery_splash": None,
    "banner": None,
    "description": None,
    "home_header": None,
    "region": "deprecated",
    "preferred_locale": "en-US",
    "afk_channel_id": None,
    "afk_timeout": 300,
    "application_id": None,
    "system_channel_id": None,
    "system_channel_flags": 0,
    "rules_channel_id": None,
    "public_updates_channel_id": None,
    "safety_alerts_channel_id": None,
    "widget_enabled": False,
    "widget_channel_id": None,
    "verification_level": 0,
    "default_message_notifications": 0,
    "explicit_content_filter": 0,
    "mfa_level": 0,
    "nsfw": False,
    "nsfw_level": 0,
    "features": [],
    "emojis": [],
    "stickers": [],
    "premium_tier": 0,
    "premium_subscription_count": 0,
    "premium_progress_bar_enabled": False,
    "max_members": 25_000_000,
    "max_presences": None,
    "max_video_channel_users": 25,
    "max_stage_video_channel_users": 50,
    "vanity_url_code": None,
    "hub_type": None,
    "incidents_data": None,
    "large": False,
    "unavailable": False,
    "voice_states": [],
    "presences": [],
    "threads": [],
    "stage_instances": [],
    "guild_scheduled_events": [],
    "soundboard_sounds": [],
}
