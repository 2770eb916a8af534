from fastapi import FastAPI

app = FastAPI(openapi_url=None)


@app.get("/add")
async def add(a: int, b: int) -> int:
    return a + b
