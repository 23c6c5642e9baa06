#!/usr/bin/env bash
# A real editor's client, Neovim without a screen, works with `zhitui lsp`: diagnostics, hover, completion, rename,
# formatting. ZHITUI names another program than build/release/zhitui.
name=lsp_neovim
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v nvim > /dev/null || die "nvim is not installed"
cp -r "$root/rules" "$work/rules"
sed 's/params\.min_age, law/param.min_age, law/' "$root/rules/shenzhen/senior-allowance.yaml" > "$work/rules/shenzhen/senior-allowance.yaml"
cat > "$work/client.lua" <<'LUA'
local function fail(what, value) io.stderr:write(what .. ": " .. vim.inspect(value) .. "\n"); vim.cmd("cquit 1") end
local function check(good, what, value) if not good then fail(what, value) end; io.stderr:write("-- " .. what .. "\n") end
vim.cmd("edit " .. vim.env.RULE)
local id = vim.lsp.start_client({ name = "zhitui", cmd = { vim.env.ZHITUI, "lsp" }, root_dir = vim.env.RULES })
vim.lsp.buf_attach_client(0, id)
local diagnosed = vim.wait(10000, function() return #vim.diagnostic.get(0) > 0 end, 20)
check(diagnosed and vim.diagnostic.get(0)[1].code == "unknown-name", "a mistake has a diagnostic", vim.diagnostic.get(0))
local function to(text, offset)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    local column = line:find(text, 1, true)
    if column then vim.api.nvim_win_set_cursor(0, { number, column - 1 + offset }) return end
  end
  fail("no such text", text)
end
local function ask(method, more)
  local params = vim.tbl_extend("force", vim.lsp.util.make_position_params(0, "utf-16"), more or {})
  local answer = vim.lsp.buf_request_sync(0, method, params, 10000)
  return answer and answer[id] and answer[id].result
end
to("param.min_age, law", 5)
local number = vim.api.nvim_win_get_cursor(0)[1]
local line = vim.api.nvim_get_current_line():gsub("param%.min_age, law", "params.min_age, law")
vim.api.nvim_buf_set_lines(0, number - 1, number, false, { line })
check(vim.wait(10000, function() return #vim.diagnostic.get(0) == 0 end, 20), "it goes away as it is corrected", vim.diagnostic.get(0))
to("resident.hukou.city", 12)
local hover = ask("textDocument/hover")
check(hover and hover.contents.value:find("Hukou city", 1, true), "hover", hover)
to("params.min_age", 7)
local items = vim.lsp.util.extract_completion_items(ask("textDocument/completion"))
check(#vim.tbl_filter(function(item) return item.label == "from_90" end, items) == 1, "completion", items)
local edit = ask("textDocument/rename", { newName = "youngest" })
vim.lsp.util.apply_workspace_edit(edit, "utf-16")
local text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n")
check(text:find("params.youngest", 1, true) and not text:find("min_age", 1, true), "rename", text)
to("  unit: ", 0)
number = vim.api.nvim_win_get_cursor(0)[1]
vim.api.nvim_buf_set_lines(0, number - 1, number, false, { "  unit:    CNY/month" })
local edits = ask("textDocument/formatting", { options = { tabSize = 2, insertSpaces = true } })
vim.lsp.util.apply_text_edits(edits, 0, "utf-16")
check(vim.api.nvim_buf_get_lines(0, number - 1, number, false)[1] == "  unit: CNY/month", "formatting", edits)
vim.cmd("qall!")
LUA
ZHITUI=${ZHITUI:-$bin/zhitui} RULES=$work/rules RULE=$work/rules/shenzhen/senior-allowance.yaml \
  timeout 60 nvim --clean --headless -n -S "$work/client.lua" || die "the client failed"
echo "lsp with Neovim: good"
