#!/usr/bin/env bash
# A client speaks to `zhitui lsp` over two pipes, as an editor does: a rule is opened, broken, asked about, renamed,
# formatted. ZHITUI names another program than build/release/zhitui.
name=lsp
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
zhitui=${ZHITUI:-$bin/zhitui}
cp -r "$root/rules" "$work/rules"
file=$work/rules/shenzhen/senior-allowance.yaml
uri=file://$file

coproc server { "$zhitui" lsp 2> "$work/stderr"; }
server_pid=$!
exec 7<&"${server[0]}" 8>&"${server[1]}"
eval "exec ${server[1]}>&-"

send() { local LC_ALL=C; printf 'Content-Length: %d\r\n\r\n%s' "${#1}" "$1" >&8; }
receive() { # the next message, into `message`; fails after 20 s
  local LC_ALL=C line length=
  while IFS= read -r -t 20 line <&7 || die "no answer: $(cat "$work/stderr")"; do
    line=${line%$'\r'}
    [ -n "$line" ] || break
    case $line in "Content-Length: "*) length=${line#*: } ;; esac
  done
  IFS= read -r -t 20 -d '' -N "$length" message <&7
}
# The message that meets a jq condition; others are passed over.
await() { while receive; do if jq -e "$1" <<< "$message" > /dev/null; then return; fi; done; }
next=0
ask() { # METHOD PARAMS  the result, into `result`
  next=$((next + 1))
  send "$(jq -nc --argjson id $next --arg method "$1" --argjson params "$2" '{jsonrpc: "2.0", $id, $method, $params}')"
  await ".id == $next"
  result=$(jq -c '.result' <<< "$message")
}
tell() { send "$(jq -nc --arg method "$1" --argjson params "$2" '{jsonrpc: "2.0", $method, $params}')"; }
expect() { # WHAT JQ-CONDITION on `result`
  jq -e "$2" <<< "$result" > /dev/null || die "$1: $result"
  note "$1"
}
line_of() { grep -n -m1 -- "$1" "$file" | cut -d: -f1; }
place() { # TEXT OFFSET  position params: so many characters into TEXT
  local n line
  n=$(line_of "$1"); line=$(sed -n "${n}p" "$file")
  line=${line%%"$1"*}
  jq -nc --arg uri "$uri" --argjson line $((n - 1)) --argjson character $((${#line} + $2)) \
    '{textDocument: {$uri}, position: {$line, $character}}'
}

export LC_ALL=C.UTF-8
ask initialize '{"processId": null, "rootUri": null, "capabilities": {}}'
expect "the server says what it can do" '.capabilities.renameProvider.prepareProvider and .capabilities.positionEncoding == "utf-16"'
tell initialized '{}'
tell textDocument/didOpen "$(jq -nc --arg uri "$uri" --rawfile text "$file" '{textDocument: {$uri, languageId: "yaml", version: 1, $text}}')"
await '.method == "textDocument/publishDiagnostics"'
result=$(jq -c '.params' <<< "$message")
expect "a good rule has no mistakes" '.diagnostics == []'

ask textDocument/hover "$(place 'resident.hukou.city' 12)"
expect "hover shows a fact with its label" '.contents.value | contains("户籍城市") and contains("Hukou city")'
ask textDocument/completion "$(place 'params.min_age' 7)"
expect "completion offers the params" '[.items[].label] | index("min_age") and index("from_90")'
ask textDocument/definition "$(place 'resident.hukou.city' 12)"
expect "definition leads to the facts" 'length == 1 and (.[0].uri | endswith("facts/resident.yaml"))'
ask textDocument/rename "$(place 'params.min_age' 8 | jq -c '. + {newName: "youngest"}')"
expect "rename changes the param and its use" '[.changes[][]] | length == 2 and all(.newText == "youngest")'
ask textDocument/rename "$(place 'params.min_age' 8 | jq -c '. + {newName: "from_70"}')"
result=$(jq -c '.error' <<< "$message")
expect "a name that is taken is refused" '.code == -32803'

broken=$(sed 's/params\.min_age/param.min_age/' "$file")
tell textDocument/didChange "$(jq -nc --arg uri "$uri" --arg text "$broken" '{textDocument: {$uri, version: 2}, contentChanges: [{$text}]}')"
await '.method == "textDocument/publishDiagnostics"'
result=$(jq -c '.params' <<< "$message")
expect "a mistake is told as it is typed" '.diagnostics | length == 1 and .[0].code == "unknown-name"'
ask textDocument/codeAction "$(jq -c --arg uri "$uri" '{textDocument: {$uri}, range: .diagnostics[0].range, context: {diagnostics: .diagnostics}}' <<< "$result")"
expect "a quick fix writes the right name" '.[0].edit.changes[][0].newText == "params.min_age"'

ragged=$(sed 's/^  unit:/    unit:/; s/^  law:/    law:/; s/^  table:/    table:/' "$file")
tell textDocument/didChange "$(jq -nc --arg uri "$uri" --arg text "$ragged" '{textDocument: {$uri, version: 3}, contentChanges: [{$text}]}')"
ask textDocument/formatting "$(jq -nc --arg uri "$uri" '{textDocument: {$uri}, options: {tabSize: 2, insertSpaces: true}}')"
expect "formatting brings the layout back" "length == 1 and .[0].newText == $(jq -Rsc . "$file")"

ask no/such '{}'
result=$(jq -c '.error' <<< "$message")
expect "an unknown method gets the protocol's error" '.code == -32601'
ask shutdown null
tell exit null
wait "$server_pid" || die "the server ended with $?"

"$zhitui" rules fmt --check "$root/rules" > /dev/null || die "rules/ is not formatted"
printf 'a:   {b:  1}\n' > "$work/x.yaml"
if "$zhitui" rules fmt --check "$work/x.yaml" > /dev/null; then die "a ragged file passed --check"; fi
"$zhitui" rules fmt "$work/x.yaml" > /dev/null
[ "$(cat "$work/x.yaml")" = "a: {b: 1}" ] || die "fmt wrote $(cat "$work/x.yaml")"
[ "$("$zhitui" rules fmt --stdin x.yaml <<< 'a: [ 1,2 ]')" = "a: [1, 2]" ] || die "fmt --stdin"
for kind in rule facts message calendar config; do
  "$zhitui" schema $kind | jq -e '."$schema" == "https://json-schema.org/draft/2020-12/schema"' > /dev/null || die "schema $kind"
done
echo "lsp: good"
