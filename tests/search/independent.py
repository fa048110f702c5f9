"""Answers queries over a folder of messages, by a reading of its own.

    independent.py FOLDER make SEED    prints a thousand queries made from the messages, each with its answer
    independent.py FOLDER ask          answers the queries on standard input, one a line

A line of JSON for each: its kind, the query, the SHA-256 of each message that it finds, and of those that it may find
(see asking.py). The folder has one message in each file.
"""

import json
import os
import sys

from asking import Index
from making import Maker
from reading import Message


def main():
    folder, does = sys.argv[1:3]
    messages = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            message = Message(file.read())
        messages[message.digest] = message
    messages = list(messages.values())
    index = Index(messages)
    if does == "make":
        queries = Maker(messages, int(sys.argv[3])).queries()
    else:
        queries = (("asked", line.rstrip("\n")) for line in sys.stdin)
    for kind, query in queries:
        yes, perhaps = index.ask(query)
        digests = [sorted(messages[number].digest for number in numbers) for numbers in (yes, perhaps)]
        # What is not text prints as escapes.
        print(json.dumps({"kind": kind, "query": query, "found": digests[0], "perhaps": digests[1]}))


if __name__ == "__main__":
    main()
