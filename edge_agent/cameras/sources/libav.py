"""The only door to the FFmpeg libraries that OpenCV's wheel brings: streams, packet by packet.

OpenCV decodes every frame and passes no option on to the decoder (docs/decisions/0006). Here a
packet can be looked at before it is decoded, kept, or never decoded at all. The libraries are an
LGPL build without x264 and x265; nothing else is linked. Struct layouts are those of the major
versions in `MAJORS` (FFmpeg 8); with any other, `load` says no and OpenCV reads the streams.
"""

import ctypes
import errno
import logging
import re
from collections.abc import Callable
from ctypes import POINTER, c_char_p, c_int, c_int64, c_uint, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

import cv2

_log = logging.getLogger(__name__)

MAJORS = {"avutil": 60, "avcodec": 62, "avformat": 62, "swscale": 9}
VIDEO = 0
KEY = 1
"""A packet that can be decoded alone."""
CORRUPT = 1
"""A frame that is known to be damaged."""
QUIET = -8
AGAIN, END = -errno.EAGAIN, -int.from_bytes(b"EOF ", "little")
INTERRUPTED = -int.from_bytes(b"EXIT", "little")
UNAUTHORISED = -int.from_bytes(b"\xf8401", "little")


Interrupt = ctypes.CFUNCTYPE(c_int, c_void_p)


class Packet(ctypes.Structure):
    """AVPacket, its beginning."""

    _fields_ = (
        ("buf", c_void_p), ("pts", c_int64), ("dts", c_int64), ("data", c_void_p),
        ("size", c_int), ("stream_index", c_int), ("flags", c_int),
    )  # fmt: skip


class RawFrame(ctypes.Structure):
    """AVFrame, its beginning, up to what tells of damage."""

    _fields_ = (
        ("data", c_void_p * 8), ("linesize", c_int * 8), ("extended_data", c_void_p),
        ("width", c_int), ("height", c_int), ("nb_samples", c_int), ("format", c_int),
        ("pict_type", c_int), ("aspect", c_int * 2), ("pts", c_int64), ("pkt_dts", c_int64),
        ("time_base", c_int * 2), ("quality", c_int), ("opaque", c_void_p),
        ("repeat_pict", c_int), ("sample_rate", c_int), ("bufs", c_void_p * 8),
        ("extended_buf", c_void_p), ("nb_extended_buf", c_int), ("side_data", c_void_p),
        ("nb_side_data", c_int), ("flags", c_int), ("color", c_int * 5),
        ("best_effort_timestamp", c_int64), ("metadata", c_void_p), ("decode_error_flags", c_int),
    )  # fmt: skip


class _Parameters(ctypes.Structure):
    """AVCodecParameters, its beginning."""

    _fields_ = (
        ("codec_type", c_int), ("codec_id", c_int), ("codec_tag", c_uint),
        ("extradata", c_void_p), ("extradata_size", c_int), ("side_data", c_void_p),
        ("nb_side_data", c_int), ("format", c_int), ("bit_rate", c_int64),
        ("bits_per_coded_sample", c_int), ("bits_per_raw_sample", c_int),
        ("profile", c_int), ("level", c_int), ("width", c_int), ("height", c_int),
    )  # fmt: skip


class _Stream(ctypes.Structure):
    """AVStream, its beginning."""

    _fields_ = (
        ("av_class", c_void_p), ("index", c_int), ("id", c_int),
        ("codecpar", POINTER(_Parameters)),
    )  # fmt: skip


class _Format(ctypes.Structure):
    """AVFormatContext, up to the callback that interrupts what blocks."""

    _fields_ = (
        ("av_class", c_void_p), ("iformat", c_void_p), ("oformat", c_void_p),
        ("priv_data", c_void_p), ("pb", c_void_p), ("ctx_flags", c_int), ("nb_streams", c_uint),
        ("streams", POINTER(POINTER(_Stream))), ("nb_stream_groups", c_uint),
        ("stream_groups", c_void_p), ("nb_chapters", c_uint), ("chapters", c_void_p),
        ("url", c_void_p), ("start_time", c_int64), ("duration", c_int64), ("bit_rate", c_int64),
        ("packet_size", c_uint), ("max_delay", c_int), ("flags", c_int), ("probesize", c_int64),
        ("max_analyze_duration", c_int64), ("key", c_void_p), ("keylen", c_int),
        ("nb_programs", c_uint), ("programs", c_void_p), ("codec_ids", c_int * 4),
        ("metadata", c_void_p), ("start_time_realtime", c_int64), ("fps_probe_size", c_int),
        ("error_recognition", c_int), ("interrupt", Interrupt), ("interrupt_opaque", c_void_p),
    )  # fmt: skip


class _Option(ctypes.Structure):
    """AVOption, its beginning: libav tells where it keeps a field."""

    _fields_ = (("name", c_char_p), ("help", c_char_p), ("offset", c_int))


class LibavError(Exception):
    """What libav says of a failure; `code` is its number."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Libav:
    """The libraries' functions, typed."""

    def __init__(self, paths: dict[str, str]) -> None:
        parts = {name: ctypes.CDLL(path) for name, path in paths.items()}
        self._parts = parts
        util, codec, form, scale = (parts[name] for name in MAJORS)

        def take(part: Any, name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
            function: Callable[..., Any] = getattr(part, name)
            function.restype, function.argtypes = result, list(arguments)  # type: ignore[attr-defined]
            return function

        self.versions = {
            name: int(take(parts[name], f"{name}_version", c_uint)()) for name in MAJORS
        }
        p, frame, packet = c_void_p, POINTER(RawFrame), POINTER(Packet)
        self.dict_set = take(util, "av_dict_set", c_int, POINTER(p), c_char_p, c_char_p, c_int)
        self.dict_free = take(util, "av_dict_free", None, POINTER(p))
        self.opt_set = take(util, "av_opt_set", c_int, p, c_char_p, c_char_p, c_int)
        self.opt_find = take(
            util, "av_opt_find", POINTER(_Option), p, c_char_p, c_char_p, c_int, c_int
        )
        self.strerror = take(util, "av_strerror", c_int, c_int, c_char_p, ctypes.c_size_t)
        self.log_level = take(util, "av_log_set_level", None, c_int)
        self.frame_alloc = take(util, "av_frame_alloc", frame)
        self.frame_free = take(util, "av_frame_free", None, POINTER(frame))
        self.frame_unref = take(util, "av_frame_unref", None, frame)
        self.packet_alloc = take(codec, "av_packet_alloc", packet)
        self.packet_free = take(codec, "av_packet_free", None, POINTER(packet))
        self.packet_unref = take(codec, "av_packet_unref", None, packet)
        self.packet_clone = take(codec, "av_packet_clone", packet, packet)
        self.codec_name = take(codec, "avcodec_get_name", c_char_p, c_int)
        self.codec_alloc = take(codec, "avcodec_alloc_context3", p, p)
        self.codec_free = take(codec, "avcodec_free_context", None, POINTER(p))
        self.find_decoder = take(codec, "avcodec_find_decoder_by_name", p, c_char_p)
        self.codec_fill = take(codec, "avcodec_parameters_to_context", c_int, p, p)
        self.codec_open = take(codec, "avcodec_open2", c_int, p, p, p)
        self.codec_send = take(codec, "avcodec_send_packet", c_int, p, packet)
        self.codec_receive = take(codec, "avcodec_receive_frame", c_int, p, frame)
        self.codec_flush = take(codec, "avcodec_flush_buffers", None, p)
        self.format_alloc = take(form, "avformat_alloc_context", POINTER(_Format))
        self.format_free = take(form, "avformat_free_context", None, POINTER(_Format))
        self.format_open = take(
            form, "avformat_open_input", c_int, POINTER(POINTER(_Format)), c_char_p, p, POINTER(p)
        )
        self.format_close = take(form, "avformat_close_input", None, POINTER(POINTER(_Format)))
        self.find_info = take(form, "avformat_find_stream_info", c_int, POINTER(_Format), p)
        self.best_stream = take(
            form, "av_find_best_stream", c_int,
            POINTER(_Format), c_int, c_int, c_int, POINTER(p), c_int,
        )  # fmt: skip
        self.read_frame = take(form, "av_read_frame", c_int, POINTER(_Format), packet)
        self.sws_cached = take(
            scale, "sws_getCachedContext", p, p,
            c_int, c_int, c_int, c_int, c_int, c_int, c_int, p, p, p,
        )  # fmt: skip
        self.sws_scale = take(
            scale, "sws_scale", c_int, p, POINTER(c_void_p), POINTER(c_int), c_int, c_int,
            POINTER(c_void_p), POINTER(c_int),
        )  # fmt: skip
        self.sws_free = take(scale, "sws_freeContext", None, p)

    def fault(self) -> str:
        """Why these libraries cannot be used; empty if they can."""
        for name, wanted in MAJORS.items():
            if self.versions[name] >> 16 != wanted:
                return f"{name} is version {self.versions[name] >> 16}, {wanted} is known"
        context = self.format_alloc()
        try:
            for option, ours in (
                (b"probesize", _Format.probesize),
                (b"analyzeduration", _Format.max_analyze_duration),
                (b"fpsprobesize", _Format.fps_probe_size),
                (b"err_detect", _Format.error_recognition),
            ):
                found = self.opt_find(context, option, None, 0, 0)
                if not found or found.contents.offset != ours.offset:
                    return f"{option.decode()} is not where it is known to be"
        finally:
            self.format_free(context)
        return ""

    def check(self, code: int) -> int:
        """The same code if it is no failure. Raises LibavError."""
        if code >= 0:
            return code
        text = ctypes.create_string_buffer(256)
        self.strerror(code, text, len(text))
        raise LibavError(code, text.value.decode("utf-8", "replace"))


@cache
def load() -> Libav | None:
    """The libraries that OpenCV has loaded; None if there are none that we know."""
    cv2.setNumThreads(1)  # a use of cv2, so that its libraries are in the process
    paths = _mapped()
    if paths.keys() != MAJORS.keys():
        _log.info("streams are read by OpenCV: its FFmpeg libraries are not there")
        return None
    try:
        libav = Libav(paths)
        fault = libav.fault()
    except (OSError, AttributeError) as error:
        fault = str(error)
    if fault:
        _log.warning("streams are read by OpenCV: %s", fault)
        return None
    libav.log_level(QUIET)
    return libav


def _mapped() -> dict[str, str]:
    """The paths of the FFmpeg libraries in this process, by name."""
    found = {}
    for line in Path("/proc/self/maps").read_text("utf-8", "replace").splitlines():
        match = re.search(rf"/lib({'|'.join(MAJORS)})[-.][^/]*$", line)
        if match:
            found[match[1]] = line[line.index("/") :]
    return found
