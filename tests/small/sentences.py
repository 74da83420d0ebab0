"""Sentences and a reference of each, with what is hard to count in them."""

from __future__ import annotations

SAID = (
    "A man in an orange hat starring at something.",
    "Ein Mann, der 3,5 kg trägt - 2-mal.",
    "the the the the",
    "",
    "안녕하세요, 저는 학생입니다.",
    "He said: &quot;no&quot; & left (1.5%).",
    "good morning",
    "a b c d e f",
)
TRUTH = (
    "A man in an orange hat staring at something.",
    "Ein Mann, der 3.5 kg trägt, 2-mal!",
    "the cat the mat",
    "nothing was said",
    "안녕하세요, 나는 학생이에요.",
    'He said: "no" and left (1,5 %).',
    "evening",
    "a b c d e f",
)
