-- POST /api/v1/payments by merchants in turn, every order and idempotency key new.
local prefix, keys, n = nil, {}, 0
local threads = 0
function setup(thread) threads = threads + 1; thread:set("id", threads) end
function init(args)
  for line in io.lines(args[1]) do keys[#keys + 1] = line end
  prefix = args[2] .. "-" .. id .. "-"
end
function request()
  n = n + 1
  local order = prefix .. n
  return wrk.format("POST", "/api/v1/payments", {
    ["Authorization"] = "Bearer " .. keys[n % #keys + 1], ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = order,
  }, '{"merchant_order_no":"' .. order .. '","amount":12800,"currency":"CNY","subject":"Order of tea",'
     .. '"callback_url":"http://127.0.0.1:9/cb","metadata":{"k":"v"}}')
end
