"""Everything that a member or the operator can say about a picture, as it arrives at the image service."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from playground.errors import MemberError
from tests.end_to_end.stage import PHOTO, Stage
from tests.photographs import admiral, coffee, encoded

OTHER = ("other.jpg", encoded(admiral()))
STYLE = ("style.png", encoded(coffee(), "PNG"))
CHECKPOINT = "0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"
CATALOG = f"""
[[models]]
id = "{CHECKPOINT}"
label = "Storybook"
family = "sdxl"

[[adapters]]
name = "fix-hands_sdxl"
label = "Fix hands"
family = "sdxl"
scale = 0.35
"""


@pytest.fixture
def catalog(scene: Stage, tmp_path: Path) -> None:
    file = tmp_path / "catalog.toml"
    file.write_text(CATALOG, encoding="utf-8")
    scene.env["CATALOG_FILE"] = str(file)


async def test_every_option_arrives_under_the_name_that_the_service_documents(scene: Stage) -> None:
    scene.env["IMAGEPIPELINE_SERVER_ID"] = "any"
    said: dict[str, Any] = {
        "model": "sd",
        "count": 2,
        "size": "448x320",
        "negative_prompt": "rain",
        "steps": 25,
        "guidance": 9.5,
        "strength": 0.55,
        "seed": 77,
        "scheduler": "DDIMScheduler",
        "likeness": 85,
    }
    async with scene.bot():
        message = await scene.delivered(scene.advanced("a lake", photos={"face": PHOTO}, **said))

    (order,) = scene.trouble.orders
    assert order.pop("ip_adapter_image").startswith(scene.playground.url)
    assert order == {
        "model_id": "sd1.5",
        "prompt": "a lake",
        "negative_prompt": "rain",
        "num_inference_steps": 25,
        "samples": 2,
        "guidance_scale": 9.5,
        "width": 448,
        "height": 320,
        "seed": 77,
        "strength": 0.55,
        "scheduler": "DDIMScheduler",
        "safety_checker": True,
        "server_id": "any",
        "ip_adapter": ["ip-adapter-plus-face_sd15"],
        "ip_adapter_scale": [0.85],
    }
    assert len(message.body.gallery) == 2


@pytest.mark.parametrize("shape", ["square", "portrait", "landscape", "wide"])
async def test_shapes_are_sizes_that_the_model_is_good_at(scene: Stage, shape: str) -> None:
    async with scene.bot():
        await scene.delivered(scene.imagine(photo=None, shape=shape, model="sd"))
        await scene.delivered(scene.imagine(photo=None, shape=shape, model="sdxl"))

    small, large = ((order["width"], order["height"]) for order in scene.trouble.orders)
    assert max(small) == 512
    assert max(large) == 1024
    assert all(side % 8 == 0 for side in (*small, *large))
    turned = {"square": 0, "portrait": -1, "landscape": 1, "wide": 1}[shape]
    assert (small[0] > small[1]) - (small[0] < small[1]) == turned


async def test_a_face_and_three_styles_each_with_its_own_strength(scene: Stage) -> None:
    async with scene.bot():
        message = await scene.delivered(
            scene.advanced(
                photos={"face": PHOTO, "style": STYLE, "style2": OTHER, "style3": STYLE},
                likeness=70,
                style_strength=50,
                style2_strength=40,
                style3_strength=30,
            )
        )

    (job,) = scene.renderer.jobs
    assert [(reference.adapter, reference.scale) for reference in job.references] == [
        ("ip-adapter-plus_sdxl_vit-h", 0.5),
        ("ip-adapter-plus_sdxl_vit-h", 0.4),
        ("ip-adapter-plus_sdxl_vit-h", 0.3),
        ("ip-adapter-plus-face_sdxl_vit-h", 0.7),
    ]
    assert len(message.body.thumbnails) == 4
    assert [thumbnail.filename.partition("-")[0] for thumbnail in message.body.thumbnails] == ["face"] + ["style"] * 3
    given = [Image.open(io.BytesIO(scene.playground.content(thumbnail))) for thumbnail in message.body.thumbnails]
    assert given[0].size == (512, 512)
    assert given[1].size == coffee().size  # a style is the whole picture


async def test_a_style_alone(scene: Stage) -> None:
    async with scene.bot():
        await scene.delivered(
            scene.playground.command("imagine", options={"prompt": "x"}, attachments={"style": STYLE})
        )

    (order,) = scene.trouble.orders
    assert order["ip_adapter"] == ["ip-adapter-plus_sdxl_vit-h"]
    assert order["ip_adapter_scale"] == [0.6]
    assert len(order["ip_adapter_image"]) == 1
    assert "ip_adapter_style_images" not in order


async def test_three_faces_go_as_a_list(scene: Stage) -> None:
    async with scene.bot():
        photos = {"face": PHOTO, "face2": OTHER, "face3": PHOTO}
        message = await scene.delivered(scene.advanced(photos=photos, likeness=80, likeness3=20))

    (order,) = scene.trouble.orders
    assert order["ip_adapter"] == ["ip-adapter-plus-face_sdxl_vit-h"]
    assert order["ip_adapter_scale"] == [0.8, 0.6, 0.2]
    assert len(order["ip_adapter_image"]) == len(set(order["ip_adapter_image"])) == 3
    assert len(message.body.thumbnails) == 3


async def test_one_bad_photo_of_several_is_named_and_refunded(scene: Stage) -> None:
    async with scene.bot():
        interaction = scene.advanced(photos={"face": PHOTO, "face2": STYLE})
        refusal = await scene.message_with("no face in the photo", interaction=interaction)
        left = await scene.left()

    assert "Image 2 of 2 (face)" in refusal.text
    assert "refunded" in refusal.text
    assert left == 20


@pytest.mark.parametrize(
    ("photos", "said", "refusal"),
    [
        ({"face": PHOTO, "face2": OTHER, "style": STYLE}, {}, "one face where there is a style image"),
        ({"face": PHOTO, "face2": OTHER}, {"model": "sd"}, "one face with Stable Diffusion 1.5"),
        ({}, {"size": "500x500"}, "`width` cannot be `500`: it takes multiples of 8"),
        ({}, {"size": "8x4000"}, "`width` cannot be `8`: it takes 64 to 1536"),
        ({}, {"size": "huge"}, "`size` cannot be `huge`: it takes one of square"),
        ({}, {"model": "flux"}, "`model` cannot be `flux`: it takes one of Stable Diffusion XL"),
        (
            {"face": PHOTO},
            {"adapter": "ip-adapter-plus-face_sd15"},
            "`ip_adapter` cannot be `ip-adapter-plus-face_sd15`",
        ),
        ({}, {"likeness": 50}, "`likeness` needs an image in `face`"),
    ],
)
async def test_what_the_service_would_not_take_is_refused_at_once_and_costs_nothing(
    scene: Stage, photos: dict[str, tuple[str, bytes]], said: dict[str, Any], refusal: str
) -> None:
    async with scene.bot():
        answer = await scene.playground.answered(scene.advanced(photos=photos, **said))
        left = await scene.left()

    assert refusal in answer.text
    assert scene.playground.seen_by(answer) == {"Ben"}
    assert left == 20
    assert scene.trouble.orders == []


@pytest.mark.parametrize(("option", "value"), [("steps", 101), ("guidance", 0.5), ("strength", 1.5), ("seed", -2)])
async def test_fixed_ranges_are_known_to_discord_itself(scene: Stage, option: str, value: Any) -> None:
    async with scene.bot():
        with pytest.raises(MemberError):
            scene.advanced("a lake", **{option: value})


@pytest.mark.usefixtures("catalog")
async def test_the_catalogue_is_offered_while_typing_and_can_be_chosen(scene: Stage) -> None:
    async with scene.bot():
        offered = await scene.playground.choices("imagine", "model", "stor")
        everything = await scene.playground.choices("imagine", "model", "")
        extras = await scene.playground.choices("advanced", "extra", "")
        interaction = scene.advanced(photos={"face": PHOTO}, model=offered[0]["value"], extra=extras[0]["value"])
        refusal = await scene.message_with("refunded", interaction=interaction)  # the engine has no such adapter

    assert offered == [{"name": "Storybook", "value": CHECKPOINT}]
    assert [choice["name"] for choice in everything] == ["Stable Diffusion XL", "Stable Diffusion 1.5", "Storybook"]
    assert extras == [{"name": "Fix hands", "value": "fix-hands_sdxl"}]
    (order,) = scene.trouble.orders
    assert order["model_id"] == CHECKPOINT
    assert order["ip_adapter"] == ["ip-adapter-plus-face_sdxl_vit-h", "fix-hands_sdxl"]
    assert order["ip_adapter_scale"] == [0.6, 0.35]
    assert "ip_adapter.1" in refusal.text


@pytest.mark.parametrize("api", ["adapters", "identity"])
async def test_a_preset_gives_the_members_own_words_a_style(scene: Stage, api: str) -> None:
    scene.env["IMAGEPIPELINE_API"] = api
    async with scene.bot():
        offered = await scene.playground.choices("imagine", "preset", "noir")
        shown = await scene.playground.answered(scene.playground.command("styles"))
        message = await scene.delivered(scene.imagine("a quiet harbour", preset=offered[0]["value"]))

    (order,) = scene.trouble.orders
    assert "film noir still of a quiet harbour" in order["prompt"]
    assert order["negative_prompt"].startswith("colour")
    assert "> a quiet harbour" in message.text
    assert "Film noir" in message.text
    assert "**Film noir**: " in shown.text
    assert scene.playground.seen_by(shown) == {"Ben"}


async def test_the_negative_prompt_is_measured_too(scene: Stage) -> None:
    async with scene.bot():
        scene.renderer.open.clear()
        interaction = scene.advanced(negative_prompt="rain " * 90)
        text = (await scene.message_with("**Making", interaction=interaction)).text
        scene.renderer.open.set()
        await scene.delivered(interaction)

    assert "signs of a negative prompt. It will not read: rain rain" in text


@pytest.mark.usefixtures("catalog")
async def test_notes_tell_what_will_count_for_less(scene: Stage) -> None:
    words = " ".join(f"word{number}" for number in range(90))
    async with scene.bot():
        scene.renderer.open.clear()
        interaction = scene.imagine(words, model=CHECKPOINT)
        text = (await scene.message_with("**Making", interaction=interaction)).text
        scene.renderer.open.set()
        await scene.delivered(interaction)

    assert "documents photos for its own SDXL model only" in text
    assert "It will not read: " in text


async def test_a_switched_off_safety_checker_is_sent_as_such_only_without_a_face(scene: Stage) -> None:
    scene.env["SAFETY_CHECKER"] = "off"
    async with scene.bot():
        await scene.delivered(scene.imagine(photo=None))
        await scene.delivered(scene.imagine())

    assert [order["safety_checker"] for order in scene.trouble.orders] == [False, True]


async def test_after_some_requests_the_next_one_is_told_when_it_will_be_ready(scene: Stage) -> None:
    scene.env["IMAGEPIPELINE_MAX_IN_FLIGHT"] = "1"
    async with scene.bot():
        await scene.delivered(scene.imagine(photo=None))
        scene.renderer.open.clear()
        await scene.message_with("**Making", interaction=scene.imagine(photo=None))
        waiting = scene.imagine(photo=None, member="Ada")
        text = (await scene.message_with("in the queue", interaction=waiting)).text
        scene.renderer.open.set()
        await scene.delivered(waiting)

    assert "expected <t:" in text
