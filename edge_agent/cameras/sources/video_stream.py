"""A video stream: read packet by packet, decoded when wanted. One thread uses it."""

import ctypes
import threading
import time
from collections.abc import Mapping
from ctypes import byref, c_int, c_void_p
from typing import Any

import cv2
import numpy as np

from edge_agent.cameras.frames import Picture, Ticks
from edge_agent.cameras.pictures import SMALL, Grey, small_levels
from edge_agent.cameras.sources import libav as av
from edge_agent.cameras.sources.libav import Libav, LibavError

_BGR24 = 3
_GREY_PLANE_FIRST = {0, 4, 5, 6, 7, 8, 12, 13, 14, 23, 24}
"""Pixel formats whose first plane are grey levels of 8 bits: planar YUV, NV12, NV21, grey."""
_FULL_RANGE = {8, 12, 13, 14}
_STRETCH = np.clip((np.arange(256) - 16) * 255 / 219, 0, 255).round().astype(np.uint8)
"""Video levels (16 to 235) to full ones."""
_BICUBIC, _AREA = 4, 0x20
_ALIGN = 64


class Kept:
    """A packet of a stream: compressed, with the moment when it came."""

    __slots__ = ("_lib", "arrived_s", "key", "raw", "size")

    def __init__(self, lib: Libav, raw: Any, arrived_s: float) -> None:
        self._lib, self.raw, self.arrived_s = lib, raw, arrived_s
        self.key = bool(raw.contents.flags & av.KEY)
        """It can be decoded without those before it."""
        self.size = int(raw.contents.size)

    def __del__(self) -> None:
        self._lib.packet_free(byref(self.raw))


class VideoStream:
    """An open stream of one camera or file. Every method may raise LibavError.

    What blocks is broken off after the time that it may take, or once `stop` is set.
    """

    def __init__(
        self,
        lib: Libav,
        address: str,
        options: Mapping[str, str],
        *,
        open_timeout_s: float,
        hardware: bool = False,
        ticks: Ticks = time.monotonic,
    ) -> None:
        self._lib, self._ticks = lib, ticks
        self.stop: threading.Event | None = None
        self._until_s = time.monotonic() + open_timeout_s
        self._broken_off = False
        self._interrupt = av.Interrupt(self._is_late)
        self._form = lib.format_alloc()
        self._codec, self._scaler = c_void_p(), c_void_p()
        self._packet, self._frame = lib.packet_alloc(), lib.frame_alloc()
        self._form.contents.interrupt = self._interrupt
        try:
            self._open(address, options, hardware)
        except LibavError:
            self.close()
            raise

    def _open(self, address: str, options: Mapping[str, str], hardware: bool) -> None:
        lib, table = self._lib, c_void_p()
        lib.log_level(av.QUIET)  # its messages carry addresses with passwords
        for key, value in options.items():
            lib.dict_set(byref(table), key.encode(), value.encode(), 0)
        try:
            # A failure frees the context and leaves a null pointer behind.
            self._check(lib.format_open(byref(self._form), address.encode(), None, byref(table)))
        finally:
            lib.dict_free(byref(table))
        self._check(lib.find_info(self._form, None))
        decoder = c_void_p()
        best = lib.best_stream(self._form, av.VIDEO, -1, -1, byref(decoder), 0)
        self._index = lib.check(best)
        parameters = self._form.contents.streams[self._index].contents.codecpar
        self.width, self.height = int(parameters.contents.width), int(parameters.contents.height)
        self.codec = str(lib.codec_name(parameters.contents.codec_id).decode())
        self.decoder = self.codec
        if hardware:
            name = f"{self.codec}_v4l2m2m"
            try:
                self._start_decoder(c_void_p(lib.find_decoder(name.encode())), parameters)
                self.decoder = name
                return
            except LibavError:
                lib.codec_free(byref(self._codec))  # no such hardware: in software then
        self._start_decoder(decoder, parameters)

    def _start_decoder(self, decoder: c_void_p, parameters: Any) -> None:
        lib = self._lib
        if not decoder:
            raise LibavError(-1, "no such decoder")
        self._codec = c_void_p(lib.codec_alloc(decoder))
        lib.check(lib.codec_fill(self._codec, parameters))
        lib.check(lib.opt_set(self._codec, b"threads", b"1", 0))
        lib.check(lib.codec_open(self._codec, decoder, None))

    def close(self) -> None:
        """Free everything; twice does no harm."""
        lib = self._lib
        lib.sws_free(self._scaler)
        self._scaler = c_void_p()
        lib.codec_free(byref(self._codec))
        lib.frame_free(byref(self._frame))
        lib.packet_free(byref(self._packet))
        if self._form:
            lib.format_close(byref(self._form))

    def __del__(self) -> None:
        self.close()

    def next_packet(self, timeout_s: float) -> Kept | None:
        """The video's next packet; None at the end."""
        lib = self._lib
        self._until_s = time.monotonic() + timeout_s
        while True:
            code = lib.read_frame(self._form, self._packet)
            if code == av.END:
                return None
            if code == av.AGAIN and not self._is_late():
                continue
            self._check(code)
            if self._packet.contents.stream_index == self._index:
                kept = Kept(lib, lib.packet_clone(self._packet), self._ticks())
                lib.packet_unref(self._packet)
                return kept
            lib.packet_unref(self._packet)

    def send(self, packet: Kept | None) -> bool:
        """Give the decoder a packet (None: no more come); False if it is damaged."""
        code = self._lib.codec_send(self._codec, packet.raw if packet else None)
        return bool(code >= 0)

    def receive(self) -> bool:
        """True if the decoder has another picture; it is then the present one."""
        code = self._lib.codec_receive(self._codec, self._frame)
        if code in (av.AGAIN, av.END):
            return False
        self._lib.check(code)
        return True

    def forget(self) -> None:
        """Begin anew: the next packet that is decoded must be a key."""
        self._lib.codec_flush(self._codec)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the present picture."""
        return int(self._frame.contents.width), int(self._frame.contents.height)

    @property
    def damaged(self) -> bool:
        """True if the decoder had to make up parts of the present picture."""
        frame = self._frame.contents
        return bool(frame.decode_error_flags or frame.flags & av.CORRUPT)

    def picture(self, longest_side: int) -> Picture:
        """The present picture in BGR, shrunk to its longest side if it is larger."""
        width, height = self.size
        scale = min(1.0, longest_side / max(width, height))
        wide, high = max(1, round(width * scale)), max(1, round(height * scale))
        flags = _BICUBIC if scale == 1.0 else _AREA
        lib, frame = self._lib, self._frame.contents
        self._scaler = c_void_p(
            lib.sws_cached(
                self._scaler, width, height, frame.format, wide, high, _BGR24, flags,
                None, None, None,
            )
        )  # fmt: skip
        if not self._scaler:
            raise LibavError(-1, f"pixel format {frame.format} cannot be converted")
        stride = -(-wide * 3 // _ALIGN) * _ALIGN
        rows = np.empty((high + 1, stride), np.uint8)  # one to spare: SIMD writes in steps
        planes, strides = (c_void_p * 4)(rows.ctypes.data), (c_int * 4)(stride)
        lib.sws_scale(self._scaler, frame.data, frame.linesize, 0, height, planes, strides)
        return np.ascontiguousarray(rows[:high, : wide * 3]).reshape(high, wide, 3)

    def small(self) -> Grey:
        """Grey levels of the present picture at 320x180, straight from its luminance."""
        frame = self._frame.contents
        if frame.format not in _GREY_PLANE_FIRST:
            return np.ascontiguousarray(self.picture(SMALL[0])[:, :, 1])
        stride = int(frame.linesize[0])
        pointer = ctypes.cast(frame.data[0], ctypes.POINTER(ctypes.c_uint8))
        plane = np.ctypeslib.as_array(pointer, (frame.height, stride))[:, : frame.width]
        levels = small_levels(plane)
        if levels is plane or levels.base is plane:
            levels = plane.copy()  # the next picture is decoded into the same memory
        return levels if frame.format in _FULL_RANGE else np.asarray(cv2.LUT(levels, _STRETCH))

    def _is_late(self, _opaque: object = None) -> int:
        """Asked by libav while it waits: 1 breaks it off."""
        stopped = self.stop is not None and self.stop.is_set()
        self._broken_off = stopped or time.monotonic() > self._until_s
        return int(self._broken_off)

    def _check(self, code: int) -> int:
        """As `Libav.check`; what we broke off ourselves has many names in libav, and one here."""
        if code < 0 and self._broken_off:
            raise LibavError(av.INTERRUPTED, "broken off")
        return self._lib.check(code)
