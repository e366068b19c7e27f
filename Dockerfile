FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

# The packages change less often than the code, so they are a layer of their own.
COPY requirements.txt .
RUN pip install -r requirements.txt

COPY bot.py ./
COPY cogs cogs
COPY services services
COPY db db
COPY locales locales

# Where the charts' fonts are remembered; the user has no home.
ENV MPLCONFIGDIR=/tmp/matplotlib

# Not root; the database and the pictures that wait to be posted are in a volume.
RUN useradd --system --uid 10001 facelock && mkdir data && chown facelock data
USER facelock
VOLUME /app/data

# Nobody outside reaches the port unless it is published.
ENV HTTP_HOST=0.0.0.0 HTTP_PORT=8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]

# SIGTERM: the bot takes nothing new, finishes what it is sending and leaves the rest for the next start.
STOPSIGNAL SIGTERM
CMD ["python", "bot.py"]
