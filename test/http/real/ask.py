"""Python's http.client on one connection. Prints [{ status, body }] in the order of the requests.
usage: ask.py HOST PORT < requests.json"""
import http.client, json, sys

host, port = sys.argv[1], int(sys.argv[2])
connection = http.client.HTTPConnection(host, port, timeout=20)
answers = []
for asked in json.load(sys.stdin):
    body = b"weft" * (asked["fill"] // 4) if "fill" in asked else None
    headers = {"host": "shop.prod", **asked.get("headers", {})}
    chunked = bool(asked.get("chunked"))
    data = iter([body[: len(body) // 2], body[len(body) // 2 :]]) if chunked else body
    connection.request(asked["method"], asked["path"], data, headers, encode_chunked=chunked)
    response = connection.getresponse()
    answers.append({"status": response.status, "body": response.read().decode()})
print(json.dumps(answers))
