"""A small Discord on loopback: the real client library connects to it, and a web page shows the chat.

A development tool. It keeps everything in memory, answers loopback only, and must never face the internet.
"""
