# The steps of the lab with Ruby's Net::HTTP, on one connection.
require 'net/http'

STEPS = {
  'COPY' => ['/src', { 'Destination' => '/copied' }],
  'GET' => ['/src/file%20007.txt', {}],
  'PROPFIND' => ['/list', { 'Depth' => '1' }],
  'MOVE' => ['/moving', { 'Destination' => '/other/moved' }],
  'DELETE' => ['/deleting', {}]
}.freeze

def told(name, body)
  case name
  when 'GET' then body.strip
  when 'PROPFIND' then body.scan(/<(?:\w+:)?response[ >]/).size
  end
end

base, timeout, ask, *names = ARGV
uri = URI(base)
http = Net::HTTP.new(uri.host, uri.port, nil)
http.max_retries = 0
http.read_timeout = timeout.to_f.positive? ? timeout.to_f : nil
http.start do
  names.each do |name|
    path, headers = STEPS[name]
    headers = headers.merge('Prefer' => 'processing') unless ask.empty?
    request = Net::HTTPGenericRequest.new(name, false, true, path, headers)
    response = http.request(request)
    puts "#{name} #{response.code} #{told(name, response.body)}".strip
  rescue StandardError => e
    puts "#{name} #{e.class} #{e.message}"
  end
end
