from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.network import Address, is_public


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *("0.0.0.1", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "ff0e::1", "2001:db8::1", "3fff::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1"),
        *("2002:7f00:1::", "2001:0:7f00::1", "100::1", "5f00::1"),
    ],
)
def test_an_address_off_the_internet_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "162.159.128.233", "2606:4700::6810:1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_an_address_on_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_the_same_in_every_ipv6_disguise(address: Address) -> None:
    assert (
        is_public(ip_address(f"::ffff:{address}")) == is_public(ip_address(f"64:ff9b::{address}")) == is_public(address)
    )
