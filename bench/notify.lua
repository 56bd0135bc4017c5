-- POST signed notifications from a file, each once: timestamp, nonce, serial, signature, body by tabs.
local lines, n = {}, 0
local threads = 0
function setup(thread) threads = threads + 1; thread:set("id", threads) end
function init(args)
  local k = 0
  for line in io.lines(args[1]) do
    k = k + 1
    if k % 2 == id % 2 then lines[#lines + 1] = line end
  end
end
function request()
  n = n + 1
  local line = lines[n]
  if line == nil then wrk.thread:stop(); line = lines[1] end
  local t, nonce, serial, sig, body = line:match("([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t(.*)")
  return wrk.format("POST", "/notify/wechatpay/", {
    ["Content-Type"] = "application/json", ["Wechatpay-Timestamp"] = t, ["Wechatpay-Nonce"] = nonce,
    ["Wechatpay-Serial"] = serial, ["Wechatpay-Signature"] = sig,
    ["Wechatpay-Signature-Type"] = "WECHATPAY2-SHA256-RSA2048",
  }, body)
end
